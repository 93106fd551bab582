#include "api/submission.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

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
constexpr std::size_t kMaxWord = 256;  // bytes of a job id

Status check_environment(const json::object& env) {
  for (const auto& [name, value] : env) {
    if (value.is_string() && std::string_view(name).find('=') == std::string_view::npos && !name.empty())
      continue;
    return fail(ErrorCode::invalid_request, "\"context.env\" must map names of variables to strings",
                "/context/env/" + printable(name));
  }
  return {};
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

// What a program is found by and does can hang on its folder and its environment: for who may only start what
// is stored, both are the server's. A variable that nobody would see is refused, lest it looks taken.
Status check_context(const auth::Principal& who, const RunSource& source, const model::Workflow& workflow) {
  const auto refuse = [&](std::string_view what, std::string where) {
    return fail(
        ErrorCode::not_allowed,
        auth::refusal(model::Role::editor, who) + ": " + std::string(what) + " of the steps is the server's",
        std::move(where));
  };
  if (!source.workdir.empty()) return refuse("the folder", "/context/workdir");
  for (const auto& [name, value] : base_environment(source.env)) {
    if (std::ranges::find(workflow.reads_env, std::string_view(name)) == workflow.reads_env.end())
      return refuse("the environment", "/context/env/" + std::string(name));
  }
  return {};
}

bool names_no_version(const RunSource& source) {
  return !source.workflow.empty() && !source.version;
}

// What two requests with one idempotency key must have in common: everything that the caller chose. The
// environment and the trace are left out, because they differ between two shells of the same user. Who names
// a workflow without a version means the same by it after another one was applied.
Hash256 body_hash(const RunSource& source, const RunWish& wish, const model::Workflow& workflow,
                  const std::string& input) {
  json::array parts;
  const bool by_name = names_no_version(source);
  parts.emplace_back(by_name ? "workflow " + workflow.name : workflow.hash.hex());
  parts.emplace_back(by_name ? json::serialize(wish.input) : input);
  parts.emplace_back(wish.job_id);
  parts.emplace_back(wish.metadata);
  parts.emplace_back(wish.priority ? json::value(*wish.priority) : json::value());
  parts.emplace_back(source.workdir);
  return Hash256::of(json::serialize(parts));
}

Status limit(std::string_view what, std::size_t size, std::size_t most) {
  if (size <= most) return {};
  return fail(ErrorCode::too_large, std::string(what) + " has " + std::to_string(size) + " bytes; at most " +
                                        std::to_string(most) + " are allowed");
}

}  // namespace

Result<RunSource> read_source(const net::Request& request, const RequestBody& body) {
  RunSource source;
  if (body.find("definition") == nullptr && body.find("workflow") == nullptr) {
    return fail(
        ErrorCode::invalid_request,
        "\"definition\" is missing, the text of a workflow in YAML or JSON; or \"workflow\", the name of "
        "one that was applied",
        "/definition");
  }
  TRY(source.definition, body.text("definition", kMaxDefinition));
  TRY(source.file, body.text("file", 4096));
  TRY(source.workflow, body.text("workflow", kMaxWord));
  TRY(source.version, read_version(body));
  if (body.find("definition") != nullptr && (!source.workflow.empty() || source.version)) {
    return fail(ErrorCode::invalid_request,
                "\"definition\" is a text of its own: it goes without \"workflow\" and \"version\"",
                "/definition");
  }
  TRY(const json::object context, body.object("context"));
  for (const auto& [key, value] : context) {
    if (key == "workdir" && value.is_string() && value.get_string().starts_with('/')) {
      source.workdir = value.get_string();
    } else if (key == "env" && value.is_object()) {
      source.env = value.get_object();
      TRY_VOID(check_environment(source.env));
    } else {
      return fail(ErrorCode::invalid_request,
                  "\"context\" may have \"workdir\", an absolute path, and \"env\", an object", "/context");
    }
  }
  // One that is no trace context is as none at all, as the standard wants it.
  if (const auto trace = TraceContext::parse(request.headers.find("traceparent").value_or(""))) {
    source.traceparent = trace->text();
  }
  return source;
}

Result<RunWish> read_wish(const RequestBody& body) {
  RunWish wish;
  TRY(wish.input, body.object("input"));
  TRY(wish.job_id, body.text("job_id", kMaxWord));
  TRY(wish.metadata, body.object("metadata"));
  TRY(wish.priority, body.integer("priority", 0, 9));
  return wish;
}

Submitter::Submitter(Core& core, RunSource source, std::shared_ptr<const model::Workflow> workflow,
                     bool own_env)
    : core_(core),
      source_(std::move(source)),
      workflow_(std::move(workflow)),
      own_env_(own_env),
      context_(context_of({})) {}

// What the engine keeps of the submitter's surroundings: what steps run with, and the variables that
// expressions read. One that is not set is left out: to read it is an error, has() is false.
std::string Submitter::context_of(const json::object& metadata) const {
  json::object vars;
  for (const std::string& name : workflow_->reads_env) {
    if (const auto* value = source_.env.if_contains(name)) vars[name] = *value;
  }
  json::object context;
  context["workdir"] = source_.workdir;
  json::object base;
  if (own_env_) base = base_environment(source_.env);
  if (base.empty()) {
    for (const auto& [name, value] : core_.services.environment) base[name] = value;
  }
  context["env"] = std::move(base);
  context["metadata"] = metadata;
  context["vars"] = std::move(vars);
  if (!source_.traceparent.empty()) context["traceparent"] = source_.traceparent;
  return json::serialize(context);
}

std::optional<Submitter> Submitter::open(Core& core, Call& call, RunSource source) {
  const auto refuse = [&](const Error& error) {
    call.fail(error);
    return std::nullopt;
  };
  std::shared_ptr<const model::Workflow> workflow;
  const bool own_env = call.principal.may(model::Role::editor);
  if (!source.workflow.empty()) {
    auto found = find_version(core, source.workflow, source.version);
    if (!found) return refuse(found.error());
    workflow = std::move(found->workflow);
    if (!own_env) {
      if (const Status fine = check_context(call.principal, source, *workflow); !fine)
        return refuse(fine.error());
    }
  } else {
    // A text of one's own does whatever it says: that is more than starting what others have applied.
    if (!own_env) {
      return refuse(
          {ErrorCode::not_allowed, auth::refusal(model::Role::editor, call.principal), "/definition"});
    }
    spec::ParseResult parsed = spec::parse_workflow(
        source.definition, {.file_name = source.file.empty() ? "definition" : source.file});
    if (!parsed.workflow) {
      fail_definition(call, std::move(parsed.diagnostics));
      return std::nullopt;
    }
    workflow = std::move(parsed.workflow);
  }
  return Submitter(core, std::move(source), core.queries.definitions().share(std::move(workflow)), own_env);
}

Status takes_runs(const Core& core) {
  return core.services.takes_runs ? core.services.takes_runs() : Status();
}

void submit(Core& core, Submission submission, const model::Sender& sender,
            std::function<void(model::ReplyBody)> done) {
  if (!submission.refused) return core.runs.send(std::move(submission.command), sender, std::move(done));
  submission.command.workflow = nullptr;
  core.runs.send(std::move(submission.command), sender,
                 [refused = std::move(*submission.refused), done = std::move(done)](model::ReplyBody reply) {
                   const auto* error = std::get_if<Error>(&reply);
                   const bool is_new = error != nullptr && error->code == ErrorCode::not_found;
                   done(is_new ? model::ReplyBody(refused) : std::move(reply));
                 });
}

Result<Submission> Submitter::submission(const RunWish& wish, std::string_view idempotency_key) const {
  auto command = this->command(wish);
  if (!command) {
    // By its name it may have been another version that the input fitted.
    if (idempotency_key.empty() || !names_no_version(source_)) return fail(command.error());
    Submission refused{.command = {}, .refused = std::move(command).error()};
    refused.command.idempotency_key = idempotency_key;
    refused.command.body = body_hash(source_, wish, *workflow_, "");
    return refused;
  }
  Submission submission{.command = std::move(*command), .refused = std::nullopt};
  if (const auto takes = takes_runs(core_); !takes) {
    if (idempotency_key.empty()) return fail(takes.error());
    submission.refused = takes.error();
  }
  if (idempotency_key.empty()) return submission;
  submission.command.idempotency_key = idempotency_key;
  // Compared only with that of another request of the same key.
  submission.command.body = body_hash(source_, wish, *workflow_, submission.command.input);
  return submission;
}

Result<model::SubmitRun> Submitter::command(const RunWish& wish) const {
  model::SubmitRun command;
  TRY(const json::object input, spec::resolve_inputs(*workflow_, wish.input));
  command.input = json::serialize(input);
  TRY_VOID(limit("the run's input", command.input.size(), kMaxInput));
  command.context = wish.metadata.empty() ? context_ : context_of(wish.metadata);
  TRY_VOID(limit("metadata and context", command.context.size(), kMaxContext));
  command.job_id = wish.job_id;
  if (wish.priority) command.priority = static_cast<std::uint8_t>(*wish.priority);
  command.workflow = workflow_;
  return command;
}

}  // namespace baton::api
