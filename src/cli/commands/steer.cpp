#include "cli/commands/steer.hpp"

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"

namespace baton::cli {

int ask_and_show(const Context& context,
                 const std::function<Result<boost::json::object>(client::Client&)>& request,
                 const std::function<std::string(const boost::json::object&, const Style&)>& describe) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto answer = session.ask(Purpose::look, request);
  if (!answer) return context.fail(answer.error());
  print_object(context.console, context.settings.output, *answer,
               [&](const Style& style) { return describe(*answer, style); });
  return kOk;
}

CLI::Option* add_narrowing(CLI::App& command, const std::string& flag, std::string& value,
                           const std::string& description) {
  // `--workflow= --dry-run`: the parser takes the next word for the value.
  const auto given = [](const std::string& text) {
    const bool none = text.empty() || text.starts_with("--");
    return none ? std::string("it has no value: leave it out, or say which") : std::string();
  };
  return command.add_option(flag, value, description)->check(CLI::Validator(given, ""));
}

void PauseOptions::add_to(CLI::App& command) {
  command.add_option("--reason", reason, "Why, for the others")->type_name("TEXT");
  command.add_option("--until", until, "Resume by itself then, such as 2027-01-31T08:00:00Z")
      ->type_name("INSTANT");
  command.add_option("--for", lasts, "Resume by itself after so long, such as 2h")->type_name("DURATION");
}

boost::json::object PauseOptions::body() const {
  boost::json::object body;
  if (!reason.empty()) body["reason"] = reason;
  if (!until.empty()) body["until"] = until;
  if (!lasts.empty()) body["for"] = lasts;
  return body;
}

void ArgumentOptions::add_to(CLI::App& command) {
  command.add_option("--with", with, "Another value of a member of `with`, as JSON or text; may be repeated")
      ->type_name("NAME=VALUE");
  command
      .add_option("--arguments", arguments,
                  "Other arguments: an object with `with`, `env`, `workdir`, `action`; merged into the old "
                  "ones, null removes")
      ->type_name("JSON");
}

Status ArgumentOptions::add_to(boost::json::object& body) const {
  if (empty()) return {};
  boost::json::object changes;
  if (!arguments.empty()) {
    boost::system::error_code error;
    boost::json::value parsed = parse_json(arguments, error, {}, {.max_depth = kReadJsonDepth});
    if (error || !parsed.is_object()) {
      return fail(ErrorCode::usage, "--arguments must be a JSON object such as {\"with\": {\"limit\": 5}}");
    }
    changes = std::move(parsed.get_object());
  }
  if (!with.empty()) {
    boost::json::value& members = changes["with"];
    if (!members.is_object()) members.emplace_object();
    TRY_VOID(add_pairs(with, "--with", false, members.get_object()));
  }
  body["arguments"] = std::move(changes);
  return {};
}

}  // namespace baton::cli
