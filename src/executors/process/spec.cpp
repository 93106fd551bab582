#include "executors/process/spec.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/json.hpp"
#include "base/trace_context.hpp"

namespace baton::executors::process {
namespace {

namespace json = boost::json;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::invalid_definition, "process step: " + std::move(message));
}

Result<std::string> text_of(const json::value& value, const std::string& member) {
  if (!value.is_string()) return refuse("`" + member + "` must be a text");
  const json::string& text = value.get_string();
  if (text.find('\0') != json::string::npos)
    return refuse("`" + member + "` contains a NUL character, which no program can be given");
  return std::string(text.data(), text.size());
}

Result<std::vector<std::string>> texts_of(const json::value& value, const std::string& member) {
  if (!value.is_array() || value.get_array().empty())
    return refuse("`" + member + "` must be a list of texts with at least one element");
  std::vector<std::string> texts;
  texts.reserve(value.get_array().size());
  for (const json::value& element : value.get_array()) {
    TRY(std::string text, text_of(element, member));
    texts.push_back(std::move(text));
  }
  return texts;
}

Status read_env(const json::value& value, std::map<std::string, std::string>& env) {
  if (!value.is_object()) return refuse("`env` must be a map of texts");
  for (const auto& [key, element] : value.get_object()) {
    const std::string name(key);
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos)
      return refuse("`env` has the name \"" + name + "\", which no environment can hold");
    TRY(env[name], text_of(element, "env." + name));
  }
  return {};
}

Result<Spec> spec_of(const json::object& members) {
  Spec spec;
  std::vector<std::string> shell = {"sh", "-e", "-c"};
  const json::value* script = nullptr;
  for (const auto& [key, value] : members) {
    if (key == "argv") {
      TRY(spec.argv, texts_of(value, "argv"));
    } else if (key == "script") {
      script = &value;
    } else if (key == "shell") {
      TRY(shell, texts_of(value, "shell"));
    } else if (key == "env") {
      TRY_VOID(read_env(value, spec.env));
    } else if (key == "workdir") {
      TRY(spec.workdir, text_of(value, "workdir"));
      if (!spec.workdir.empty() && !spec.workdir.starts_with('/'))
        return refuse("`workdir` must be an absolute path");
    } else if (key == "with") {
      spec.input = json::serialize(value);
    } else if (key == "parse") {
      if (!value.is_null() && value != "json") return refuse("`parse` must be \"json\" or null");
      spec.parse_json = value == "json";
    } else if (key == "traceparent") {
      TRY(spec.traceparent, text_of(value, "traceparent"));
    } else {
      return refuse("unknown member \"" + std::string(key) + "\"");
    }
  }
  if (spec.argv.empty() == (script == nullptr)) return refuse("exactly one of `argv` and `script` is needed");
  if (script) {
    spec.argv = std::move(shell);
    TRY(std::string text, text_of(*script, "script"));
    spec.argv.push_back(std::move(text));
  }
  if (spec.argv[0].empty()) return refuse("the program's name is empty");
  return spec;
}

}  // namespace

Result<Spec> parse_spec(std::string_view text) {
  json::parse_options options;
  options.max_depth = 128;  // `with` holds a result of depth 64 and what surrounds it
  json::error_code error;
  const json::value value = parse_json(text, error, {}, options);
  if (error) return refuse("the specification is not JSON: " + error.message());
  if (!value.is_object()) return refuse("the specification must be an object");
  return spec_of(value.get_object());
}

std::map<std::string, std::string> base_environment(const char* const* environment) {
  constexpr std::string_view kAllowed[] = {"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR"};
  std::map<std::string, std::string> env;
  for (; environment && *environment; ++environment) {
    const std::string_view entry(*environment);
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = entry.substr(0, equals);
    if (std::ranges::find(kAllowed, name) != std::end(kAllowed) || name.starts_with("LC_"))
      env.emplace(name, entry.substr(equals + 1));
  }
  return env;
}

std::vector<std::string> full_environment(const Spec& spec, const Attempt& attempt, const AttemptFiles& files,
                                          const std::string& socket) {
  std::map<std::string, std::string> env = spec.env;
  env["BATON_RUN_ID"] = attempt.task.run.text();
  env["BATON_TASK_ID"] = attempt.task.text();
  env["BATON_ATTEMPT"] = std::to_string(attempt.number);
  env["BATON_TOKEN"] = attempt.token.text();
  env["BATON_RUN_DIR"] = files.run_dir;
  env["BATON_INPUT"] = files.input;
  env["BATON_RESULT"] = files.result;
  if (!socket.empty()) env["BATON_SOCKET"] = socket;
  if (!attempt.space.empty()) env["BATON_NAMESPACE"] = attempt.space;
  env.try_emplace("TRACEPARENT", trace_of_attempt(spec.traceparent, attempt.task.run, attempt.token).text());
  std::vector<std::string> list;
  list.reserve(env.size());
  for (const auto& [name, value] : env) list.push_back(name + '=' + value);
  return list;
}

}  // namespace baton::executors::process
