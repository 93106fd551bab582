// baton explain: why a run or a task is not running.
#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/steer.hpp"
#include "cli/output.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

// What a program printed may stand in a reason: its further lines below the first.
std::string indented(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t end = text.find('\n');
  const std::string first = printable(text.substr(0, end));
  return end == std::string_view::npos ? first : first + "\n    " + indented(text.substr(end + 1));
}

std::string describe(const json::object& answer, const Style& style) {
  const std::string status = cell_of(answer, "status");
  std::string out = in_colour_of(status, std::string(symbol(status)) + ' ' + status, style) + '\n';
  const auto* reasons = answer.if_contains("reasons");
  if (reasons == nullptr || !reasons->is_array()) return out;
  for (const json::value& entry : reasons->get_array()) {
    if (!entry.is_object()) continue;
    const json::object& reason = entry.get_object();
    out += "  " + indented(text_of(reason, "message"));
    const std::string until = short_time(reason, "until");
    if (!until.empty()) out += ", until " + until;
    if (answer.contains("task") && answer.at("task").is_null() && number_of(reason, "count") > 0) {
      out += style.dim("  (" + cell_of(reason, "count") +
                       (number_of(reason, "count") == 1 ? " task)" : " tasks)"));
    }
    out += '\n';
  }
  return out;
}

}  // namespace

void add_explain(Program& program) {
  const auto id = std::make_shared<std::string>();
  CLI::App& command = program.command(
      program.app(), "explain", "Says why a run or a task is not running", [id](const Context& c) {
        // A task's id is its run's, a dot and a number.
        const bool task = id->find('.') != std::string::npos;
        return ask_and_show(
            c,
            [&](client::Client& client) { return task ? client.explain_task(*id) : client.explain_run(*id); },
            describe);
      });
  command.add_option("id", *id, "Id of a run or task")->required()->type_name("ID");
}

}  // namespace baton::cli
