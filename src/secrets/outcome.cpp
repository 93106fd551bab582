#include "secrets/outcome.hpp"

namespace baton::secrets {

void mask(const Redactor* redactor, model::Outcome& outcome) {
  if (redactor == nullptr) return;
  if (redactor->finds(outcome.failure.type)) outcome.failure.type = redactor->mask(outcome.failure.type);
  outcome.failure.message = redactor->mask(outcome.failure.message);
  outcome.result = redactor->mask_json(outcome.result);
}

model::Outcome refused(const Error& why) {
  model::Outcome outcome{.kind = model::Outcome::Kind::failed};
  outcome.failure = {.type = model::error_type::kValidation, .message = why.message, .never_retry = true};
  return outcome;
}

}  // namespace baton::secrets
