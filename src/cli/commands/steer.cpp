#include "cli/commands/steer.hpp"

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

}  // namespace baton::cli
