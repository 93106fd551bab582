// POST /api/v1/runs/{id}/replay: a new run of the same version, with the same input but for what is given.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/control.hpp"
#include "api/handlers.hpp"
#include "spec/inputs.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxWord = 256;
constexpr std::size_t kMaxInput = std::size_t{16} << 20;

Result<json::object> stored_object(Core& core, const model::PayloadKey& key) {
  TRY(const std::optional<std::string> text, core.services.store.get_payload(key));
  boost::system::error_code error;
  json::value parsed = json::parse(text.value_or("{}"), error);
  if (error || !parsed.is_object()) return fail(ErrorCode::corrupt, "the stored input of the run is damaged");
  return std::move(parsed.get_object());
}

Result<model::SubmitRun> read(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RunId id, call.run_id());
  TRY(const RequestBody body, optional_body(call));
  TRY_VOID(body.only({"input", "job_id", "metadata", "priority"}));
  TRY(const store::RunView view, core.queries.find(id));
  model::SubmitRun command;
  command.replay_of = id;
  command.workflow = core.queries.workflow_of(view.row);
  if (!command.workflow) {
    return fail(ErrorCode::corrupt, "the definition of run " + id.text() + " cannot be read");
  }
  TRY(json::object input, stored_object(core, {id.key(), model::PayloadSlot::run_input}));
  // An optional input that was not given is stored as null: it is not given again.
  for (auto at = input.begin(); at != input.end();) at = at->value().is_null() ? input.erase(at) : at + 1;
  TRY(const json::object edits, body.object("input"));
  for (const auto& [name, value] : edits) input[name] = value;
  TRY(const json::object checked, spec::resolve_inputs(*command.workflow, input));
  command.input = json::serialize(checked);
  if (command.input.size() > kMaxInput) {
    return fail(ErrorCode::too_large, "the run's input has " + std::to_string(command.input.size()) +
                                          " bytes; at most " + std::to_string(kMaxInput) + " are allowed");
  }
  TRY(json::object context, stored_object(core, {id.key(), model::PayloadSlot::run_context}));
  if (body.find("metadata") != nullptr) {
    TRY(context["metadata"], body.object("metadata"));
  }
  command.context = json::serialize(context);
  TRY(command.job_id, body.text("job_id", kMaxWord));
  if (command.job_id.empty()) command.job_id = view.row.job_id;
  TRY(const auto priority, body.integer("priority", 0, 9));
  command.priority = priority ? static_cast<std::uint8_t>(*priority) : view.row.priority;
  command.idempotency_key = call.request.headers.find("Idempotency-Key").value_or("");
  if (command.idempotency_key.size() > kMaxWord) {
    return fail(ErrorCode::invalid_request, "an Idempotency-Key has at most 256 bytes");
  }
  command.body = Hash256::of("replay " + id.text() + command.input + command.job_id + command.context);
  return command;
}

}  // namespace

void replay_run(const CorePtr& core, CallPtr call) {
  auto command = read(*core, *call);
  if (!command) return call->fail(command.error());
  const std::string actor = call->actor;
  core->services.runs.send(std::move(*command), actor, [core, call](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([core, call, submitted = std::get<model::Submitted>(reply)] {
      auto body = core->queries.run(submitted.run);
      if (!body) return call->fail(body.error());
      call->json(submitted.existing ? 200 : 201, std::move(*body),
                 {{"Location", "/api/v1/runs/" + submitted.run.text()}});
    });
  });
}

}  // namespace baton::api
