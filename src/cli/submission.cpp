#include "cli/submission.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "base/text.hpp"
#include "cli/diagnostics.hpp"
#include "cli/files.hpp"
#include "cli/random_key.hpp"
#include "executors/process/spec.hpp"
#include "spec/inputs.hpp"
#include "spec/parse.hpp"
#include "spec/preflight.hpp"

extern char** environ;

namespace baton::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxInputFile = std::size_t{16} << 20;

Result<std::pair<std::string, std::string>> split(const std::string& text, std::string_view flag) {
  const std::size_t at = text.find('=');
  if (at == 0 || at == std::string::npos) {
    return fail(ErrorCode::usage,
                std::string(flag) + " needs the form NAME=VALUE, not \"" + printable(text) + "\"");
  }
  return std::pair(text.substr(0, at), text.substr(at + 1));
}

Result<json::object> read_input_file(const std::string& file) {
  TRY(json::value value, read_value_file(file, kMaxInputFile));
  if (value.is_null()) return json::object();
  if (!value.is_object()) {
    return fail(ErrorCode::invalid_input,
                display_name(file) + ": the inputs must be an object: names and values");
  }
  return std::move(value.get_object());
}

Result<json::object> read_inputs(const SubmissionOptions& options, const model::Workflow& workflow) {
  json::object given;
  if (!options.input_file.empty()) {
    TRY(given, read_input_file(options.input_file));
  }
  TRY(json::object typed, typed_inputs(options.inputs, workflow));
  for (auto& [name, value] : typed) given[name] = std::move(value);
  if (auto checked = spec::resolve_inputs(workflow, given); !checked) return fail(checked.error());
  return given;
}

// What a submission has besides its definition and working directory.
Status complete(const SubmissionOptions& options, Prepared& out) {
  client::Submission& submission = out.submission;
  TRY(submission.input, read_inputs(options, *out.workflow));
  for (const std::string& word : options.metadata) {
    TRY(const auto pair, split(word, "--metadata"));
    submission.metadata[pair.first] = pair.second;
  }
  submission.job_id = options.job_id;
  submission.priority = options.priority;
  submission.idempotency_key = options.idempotency_key.empty() ? random_key() : options.idempotency_key;
  // Whoever calls this in a trace has the run in it, too.
  if (const char* trace = std::getenv("TRACEPARENT")) submission.traceparent = trace;
  if (!options.remote) {
    for (auto& [name, value] : executors::process::base_environment(environ))
      submission.env[name] = to_utf8(value);
  }
  for (const std::string& name : out.workflow->reads_env) {
    if (const char* value = std::getenv(name.c_str())) submission.env[name] = to_utf8(value);
  }
  return {};
}

}  // namespace

Result<json::object> typed_inputs(const std::vector<std::string>& words, const model::Workflow& workflow) {
  json::object typed;
  for (const std::string& word : words) {
    TRY(const auto pair, split(word, "--input"));
    const auto& [name, text] = pair;
    const auto input = std::ranges::find(workflow.inputs, name, &model::Input::name);
    if (input == workflow.inputs.end()) {
      typed[name] = text;
      continue;
    }
    auto value = spec::coerce_text(input->schema, text);
    if (!value) return fail(ErrorCode::invalid_input, "--input " + name + ": " + value.error().message);
    typed[name] = std::move(*value);
  }
  return typed;
}

Result<Prepared> prepare(const SubmissionOptions& options, Console& console) {
  Prepared out;
  client::Submission& submission = out.submission;
  TRY(submission.definition, read_text_file(options.file, kMaxDefinition));
  submission.file = display_name(options.file);
  spec::ParseResult parsed = spec::parse_workflow(submission.definition, {.file_name = submission.file});
  show_diagnostics(console, parsed.diagnostics);
  if (!parsed.workflow) return fail(ErrorCode::invalid_definition, "");
  out.workflow = std::move(parsed.workflow);
  if (options.preflight) {
    submission.definition = spec::preflight_definition(*out.workflow);
    if (submission.definition.empty()) {
      return fail(ErrorCode::usage,
                  submission.file +
                      ": no target has a `health` to check; add it under `targets`, such as "
                      "nlp: {url: \"http://nlp:8001\", health: /health}");
    }
    out.workflow = spec::parse_workflow(submission.definition, {.file_name = submission.file}).workflow;
    if (!out.workflow) return fail(ErrorCode::internal, "the health checks make no workflow");
  }

  TRY_VOID(complete(options, out));
  if (options.remote) return out;

  std::error_code error;
  const std::filesystem::path folder = options.file == "-"
                                           ? std::filesystem::current_path(error)
                                           : std::filesystem::absolute(options.file, error).parent_path();
  if (error) return fail(ErrorCode::io, "the working directory cannot be used: " + error.message());
  submission.workdir = folder.lexically_normal().string();
  if (!is_utf8(submission.workdir)) {  // it travels in JSON
    return fail(ErrorCode::io, "steps cannot run in the folder " + printable(to_utf8(submission.workdir)) +
                                   ": its name is not UTF-8");
  }
  return out;
}

Result<WorkflowReference> read_reference(const std::string& text) {
  const std::size_t at = text.rfind('@');
  WorkflowReference reference{text.substr(0, at), 0};
  if (at != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + at + 1, end, reference.version);
    if (error != std::errc{} || stop != end || reference.version == 0) {
      return fail(ErrorCode::usage, "behind the @ of " + printable(text) + " stands a version: NAME@3");
    }
  }
  if (reference.name.empty()) return fail(ErrorCode::usage, "which workflow? NAME, or NAME@VERSION");
  return reference;
}

Result<Prepared> prepare_stored(const SubmissionOptions& options, const json::object& stored,
                                const std::string& workdir) {
  Prepared out;
  const json::value* definition = stored.if_contains("definition");
  const json::value* version = stored.if_contains("version");
  const json::value* name = stored.if_contains("name");
  if (definition == nullptr || version == nullptr || !version->is_int64() || name == nullptr ||
      !name->is_string()) {
    return fail(ErrorCode::io, "the answer of the API is no workflow");
  }
  out.workflow = spec::parse_canonical(json::serialize(*definition)).workflow;
  if (!out.workflow) return fail(ErrorCode::corrupt, "the stored definition cannot be read");
  out.submission.workflow = name->get_string();
  out.submission.version = static_cast<std::uint32_t>(version->get_int64());
  TRY_VOID(complete(options, out));
  if (!workdir.empty()) {
    if (options.remote && !workdir.starts_with('/'))
      return fail(ErrorCode::usage,
                  "--workdir is a folder of the server's machine: say all of it, from / on");
    std::error_code error;
    const auto path = std::filesystem::absolute(workdir, error).lexically_normal().string();
    if (error || !is_utf8(path))
      return fail(ErrorCode::usage, "--workdir " + printable(workdir) + " cannot be used as a folder");
    out.submission.workdir = path;
  }
  return out;
}

}  // namespace baton::cli
