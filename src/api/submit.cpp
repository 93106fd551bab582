// POST /api/v1/runs: a definition, or a version that is stored, and its input become a run.
#include <boost/json/serialize.hpp>

#include "api/handlers.hpp"
#include "api/request_body.hpp"
#include "api/workflows.hpp"
#include "auth/permission.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "base/trace_context.hpp"
#include "executors/process/spec.hpp"
#include "spec/inputs.hpp"
#include "spec/parse.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDefinition = std::size_t{16} << 20;
constexpr std::size_t kMaxInput = std::size_t{16} << 20;
constexpr std::size_t kMaxContext = std::size_t{1} << 20;
constexpr std::size_t kMaxWord = 256;  // bytes of a job id, of an idempotency key

struct Submission {
  std::string definition;
  std::string file;
  std::string workflow;  // instead of a definition
  std::optional<std::uint32_t> version;
  json::value input;
  std::string job_id;
  json::object metadata;
  std::optional<std::int64_t> priority;
  std::string workdir;
  json::object env;         // the submitter's environment
  std::string traceparent;  // that it came with; "" = none
};

Status check_environment(const json::object& env) {
  for (const auto& [name, value] : env) {
    if (value.is_string() && std::string_view(name).find('=') == std::string_view::npos && !name.empty())
      continue;
    return fail(ErrorCode::invalid_request, "\"context.env\" must map names of variables to strings",
                "/context/env/" + printable(name));
  }
  return {};
}

Result<Submission> read(const net::Request& request) {
  TRY(const RequestBody body, RequestBody::parse(request));
  TRY_VOID(body.only(
      {"definition", "file", "workflow", "version", "input", "job_id", "metadata", "priority", "context"}));
  Submission submission;
  if (body.find("definition") == nullptr && body.find("workflow") == nullptr) {
    return fail(
        ErrorCode::invalid_request,
        "\"definition\" is missing, the text of a workflow in YAML or JSON; or \"workflow\", the name of "
        "one that was applied",
        "/definition");
  }
  TRY(submission.definition, body.text("definition", kMaxDefinition));
  TRY(submission.file, body.text("file", 4096));
  TRY(submission.workflow, body.text("workflow", kMaxWord));
  TRY(submission.version, read_version(body));
  if (body.find("definition") != nullptr && (!submission.workflow.empty() || submission.version)) {
    return fail(ErrorCode::invalid_request,
                "\"definition\" is a text of its own: it goes without \"workflow\" and \"version\"",
                "/definition");
  }
  TRY(json::object input, body.object("input"));
  submission.input = std::move(input);
  TRY(submission.job_id, body.text("job_id", kMaxWord));
  TRY(submission.metadata, body.object("metadata"));
  TRY(submission.priority, body.integer("priority", 0, 9));

  TRY(const json::object context, body.object("context"));
  for (const auto& [key, value] : context) {
    if (key == "workdir" && value.is_string() && value.get_string().starts_with('/')) {
      submission.workdir = value.get_string();
    } else if (key == "env" && value.is_object()) {
      submission.env = value.get_object();
      TRY_VOID(check_environment(submission.env));
    } else {
      return fail(ErrorCode::invalid_request,
                  "\"context\" may have \"workdir\", an absolute path, and \"env\", an object", "/context");
    }
  }
  // One that is no trace context is as none at all, as the standard wants it.
  if (const auto trace = TraceContext::parse(request.headers.find("traceparent").value_or(""))) {
    submission.traceparent = trace->text();
  }
  return submission;
}

// What steps run with: the allow-listed part of the submitter's environment, whatever else was sent.
json::object base_environment(const json::object& env) {
  std::vector<std::string> list;
  for (const auto& [name, value] : env) {
    list.push_back(std::string(name) + '=' + std::string(value.get_string()));
  }
  std::vector<const char*> pointers;
  for (const std::string& entry : list) pointers.push_back(entry.c_str());
  pointers.push_back(nullptr);
  json::object base;
  for (auto& [name, value] : executors::process::base_environment(pointers.data())) base[name] = value;
  return base;
}

// What the engine keeps of the submitter's surroundings: what steps run with, and the variables that
// expressions read. One that is not set is left out: to read it is an error, has() is false.
std::string context_of(const Core& core, const Submission& submission, const model::Workflow& workflow) {
  json::object vars;
  for (const std::string& name : workflow.reads_env) {
    if (const auto* value = submission.env.if_contains(name)) vars[name] = *value;
  }
  json::object context;
  context["workdir"] = submission.workdir;
  json::object base = base_environment(submission.env);
  if (base.empty()) {
    for (const auto& [name, value] : core.services.environment) base[name] = value;
  }
  context["env"] = std::move(base);
  context["metadata"] = submission.metadata;
  context["vars"] = std::move(vars);
  if (!submission.traceparent.empty()) context["traceparent"] = submission.traceparent;
  return json::serialize(context);
}

// What two requests with one idempotency key must have in common: everything that the caller chose. The
// environment and the trace are left out, because they differ between two shells of the same user. Who names
// a workflow without a version means the same by it after another one was applied.
Hash256 body_hash(const Submission& submission, const model::Workflow& workflow, const std::string& input) {
  json::array parts;
  const bool by_name = !submission.workflow.empty() && !submission.version;
  parts.emplace_back(by_name ? "workflow " + workflow.name : workflow.hash.hex());
  parts.emplace_back(by_name ? json::serialize(submission.input) : input);
  parts.emplace_back(submission.job_id);
  parts.emplace_back(submission.metadata);
  parts.emplace_back(submission.priority ? json::value(*submission.priority) : json::value());
  parts.emplace_back(submission.workdir);
  return Hash256::of(json::serialize(parts));
}

Status limit(std::string_view what, std::size_t size, std::size_t most) {
  if (size <= most) return {};
  return fail(ErrorCode::too_large, std::string(what) + " has " + std::to_string(size) + " bytes; at most " +
                                        std::to_string(most) + " are allowed");
}

Result<model::SubmitRun> make_command(const Core& core, const Submission& submission,
                                      std::shared_ptr<const model::Workflow> workflow,
                                      std::string_view idempotency_key) {
  model::SubmitRun command;
  TRY(const json::object input, spec::resolve_inputs(*workflow, submission.input));
  command.input = json::serialize(input);
  TRY_VOID(limit("the run's input", command.input.size(), kMaxInput));
  command.context = context_of(core, submission, *workflow);
  TRY_VOID(limit("metadata and context", command.context.size(), kMaxContext));
  command.job_id = submission.job_id;
  if (submission.priority) command.priority = static_cast<std::uint8_t>(*submission.priority);
  command.idempotency_key = idempotency_key;
  command.body = body_hash(submission, *workflow, command.input);
  command.workflow = std::move(workflow);
  return command;
}

void answer(Core& core, Call& call, const model::Submitted& submitted) {
  auto body = core.queries.run(submitted.run);
  if (!body) return call.fail(body.error());
  call.json(submitted.existing ? 200 : 201, std::move(*body),
            {{"Location", "/api/v1/runs/" + submitted.run.text()}});
}

}  // namespace

void submit_run(const CorePtr& core, CallPtr call) {
  const std::string_view key = call->request.headers.find("Idempotency-Key").value_or("");
  if (key.size() > kMaxWord) {
    return call->fail({ErrorCode::invalid_request, "an Idempotency-Key has at most 256 bytes", ""});
  }
  if (core->services.takes_runs) {
    if (const auto takes = core->services.takes_runs(); !takes) return call->fail(takes.error());
  }
  auto submission = read(call->request);
  if (!submission) return call->fail(submission.error());

  std::shared_ptr<const model::Workflow> workflow;
  if (!submission->workflow.empty()) {
    auto found = find_version(*core, submission->workflow, submission->version);
    if (!found) return call->fail(found.error());
    workflow = std::move(found->workflow);
  } else {
    // A text of one's own does whatever it says: that is more than starting what others have applied.
    if (!call->principal.may(model::Role::editor))
      return call->fail(
          {ErrorCode::not_allowed, auth::refusal(model::Role::editor, call->principal), "/definition"});
    spec::ParseResult parsed = spec::parse_workflow(
        submission->definition, {.file_name = submission->file.empty() ? "definition" : submission->file});
    if (!parsed.workflow) return fail_definition(*call, std::move(parsed.diagnostics));
    workflow = std::move(parsed.workflow);
  }
  auto command =
      make_command(*core, *submission, core->queries.definitions().share(std::move(workflow)), key);
  if (!command) return call->fail(command.error());

  const model::Sender actor = call->actor;
  core->services.runs.send(std::move(*command), actor, [core, call](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    const auto* submitted = std::get_if<model::Submitted>(&reply);
    core->workers.post([core, call, submitted = *submitted] { answer(*core, *call, submitted); });
  });
}

}  // namespace baton::api
