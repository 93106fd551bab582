// POST /api/v1/runs/{id}/replay: a new run of the same version, or of another one, with the same input but
// for what is given.
#include "api/replay.hpp"

#include <boost/json/serialize.hpp>

#include "api/control.hpp"
#include "api/edits.hpp"
#include "api/handlers.hpp"
#include "api/stored_input.hpp"
#include "api/submission.hpp"
#include "api/workflows.hpp"
#include "spec/inputs.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxWord = 256;
constexpr std::size_t kMaxInput = std::size_t{16} << 20;

Result<model::SubmitRun> read(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RunId id, call.run_id());
  TRY(const RequestBody body, optional_body(call));
  TRY_VOID(body.only({"input", "job_id", "metadata", "priority", "version"}));
  return read_replay(core, id, &body, std::string(call.request.headers.find("Idempotency-Key").value_or("")));
}

}  // namespace

Result<model::SubmitRun> read_replay(Core& core, const RunId& id, const RequestBody* body, std::string key) {
  TRY(const store::RunView view, core.queries.find(id));
  model::SubmitRun command;
  command.replay_of = id;
  std::optional<std::uint32_t> version;
  if (body != nullptr) {
    TRY(version, read_version(*body));
  }
  const auto before = core.queries.workflow_of(view.row);
  if (version) {
    TRY(FoundVersion found, find_version(core, view.row.workflow, version));
    TRY_VOID(check_environment(*found.workflow, before.get()));
    command.workflow = std::move(found.workflow);
  } else {
    command.workflow = before;
    if (!command.workflow) {
      return fail(ErrorCode::corrupt, "the definition of run " + id.text() + " cannot be read");
    }
  }
  TRY(json::object input, given_input(core, id.key(), before.get(), *command.workflow));
  TRY(json::object context, stored_object(core, {id.key(), model::PayloadSlot::run_context}));
  context.erase("traceparent");  // it is another execution: a trace of its own
  command.job_id = view.row.job_id;
  command.priority = view.row.priority;
  if (body != nullptr) {
    TRY(const json::object edits, body->object("input"));
    for (const auto& [name, value] : edits) input[name] = value;
    if (body->find("metadata") != nullptr) {
      TRY(context["metadata"], body->object("metadata"));
    }
    TRY(std::string job_id, body->text("job_id", kMaxWord));
    if (!job_id.empty()) command.job_id = std::move(job_id);
    TRY(const auto priority, body->integer("priority", 0, 9));
    if (priority) command.priority = static_cast<std::uint8_t>(*priority);
  }
  TRY(const json::object checked, spec::resolve_inputs(*command.workflow, input));
  command.input = json::serialize(checked);
  if (command.input.size() > kMaxInput) {
    return fail(ErrorCode::too_large, "the run's input has " + std::to_string(command.input.size()) +
                                          " bytes; at most " + std::to_string(kMaxInput) + " are allowed");
  }
  command.context = json::serialize(context);
  command.idempotency_key = std::move(key);
  if (command.idempotency_key.size() > kMaxWord) {
    return fail(ErrorCode::invalid_request, "an Idempotency-Key has at most 256 bytes");
  }
  command.body = Hash256::of("replay " + id.text() + command.workflow->hash.hex() + command.input +
                             command.job_id + command.context);
  return command;
}

void replay_run(const CorePtr& core, CallPtr call) {
  auto command = read(*core, *call);
  if (!command) return call->fail(command.error());
  Submission submission{.command = std::move(*command), .refused = std::nullopt};
  if (const auto takes = takes_runs(*core); !takes) {
    if (submission.command.idempotency_key.empty()) return call->fail(takes.error());
    submission.refused = takes.error();
  }
  submit(*core, std::move(submission), call->actor, [core, call](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([core, call, submitted = std::get<model::Submitted>(reply)] {
      answer(*call, core->queries.run(submitted.run), submitted.existing ? 200 : 201,
             {{"Location", "/api/v1/runs/" + submitted.run.text()}});
    });
  });
}

}  // namespace baton::api
