// What an attempt reports, without secrets in it.
#pragma once

#include "base/error.hpp"
#include "model/outcome.hpp"
#include "secrets/redactor.hpp"

namespace baton::secrets {

// Result, error type and message. Null: nothing is masked.
void mask(const Redactor* redactor, model::Outcome& outcome);

// Of an attempt whose secrets cannot be had, which does not begin: `validation`, never retried.
model::Outcome refused(const Error& why);

}  // namespace baton::secrets
