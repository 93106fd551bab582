#include "cli/view/plain.hpp"

#include <utility>

#include "cli/output.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

// Whether the n-th of `all` begins another tenth of them.
bool is_tenth(std::uint64_t n, std::uint64_t all) {
  return n * 10 / all != (n - 1) * 10 / all;
}

}  // namespace

std::string event_line(const RunModel& model, std::string_view type, const boost::json::object& event) {
  const auto at = parse_rfc3339(text_of(event, "at"));
  std::string time = short_duration((at ? *at : model.created_at()) - model.created_at());
  if (time.size() < 7) time.insert(0, 7 - time.size(), ' ');
  const auto line = [&](std::string_view sign, const std::string& text) {
    return time + "  " + std::string(sign) + ' ' + text + '\n';
  };

  if (type == "run.cancel_requested") {
    return line(symbol("cancelling"), event.at("terminate").as_bool() ? "terminating" : "cancelling");
  }
  if (type == "run.timed_out") return line(symbol("failed"), "the run's deadline is over");
  if (type == "run.sla_missed") return line("!", model.workflow() + " is late");
  if (type == "run.ended") return line(symbol(model.status()), model.workflow() + ' ' + model.status());
  const std::int64_t place = event.contains("step_index") ? whole_number_of(event, "step_index") : -1;
  if (place < 0 || std::cmp_greater_equal(place, model.steps().size())) return "";
  const StepModel& step = model.steps()[static_cast<std::size_t>(place)];
  const bool is_item = event.contains("index");
  const std::string name = is_item ? step.name + '[' + cell_of(event, "index") + ']' : step.name;

  if (type == "resource.leaked") {
    return line(symbol("failed"),
                cell_of(event, "resource") + " of " + name + " leaked: " + cell_of(event, "reason"));
  }
  if (const std::string_view helper = model.helper_of(event); !helper.empty()) {
    const std::string what(helper);
    if (type == "attempt.started") {
      const std::string attempt = cell_of(event, "attempt");
      return line(symbol("running"), what + (attempt == "1" ? "" : ", attempt " + attempt));
    }
    if (type == "task.retrying")
      return line(symbol("retrying"), what + " failed, again in " + delay_of(event));
    if (type == "task.ended") {
      const std::string error = error_of(event);
      return line(symbol(cell_of(event, "status")),
                  what + ' ' + cell_of(event, "status") + (error.empty() ? "" : ": " + error));
    }
    return "";
  }
  if (type == "task.waiting" && !is_item) {
    const bool once_more = number_of(event, "delay") > 0;
    return once_more ? "" : line(symbol("running"), name + " waits for " + wait_of(event));
  }
  if (type == "attempt.started" && !is_item && !step.waits) {
    const std::string attempt = cell_of(event, "attempt");
    return line(symbol("running"), name + (attempt == "1" ? "" : ", attempt " + attempt));
  }
  if (type == "task.expanded")
    return line(symbol("running"), name + ", " + cell_of(event, "items") + " items");
  if (type == "task.retrying" && event.contains("round")) {
    const std::string round = name + ": round " + cell_of(event, "round") + " is done, ";
    return line(symbol("retrying"),
                round + (number_of(event, "delay") > 0 ? "again in " + delay_of(event) : "once more"));
  }
  if (type == "task.retrying") {
    const std::string first = cell_of(event, "reason");
    return line(symbol("retrying"),
                name + (first.empty() ? " failed, again in " + delay_of(event) : ' ' + first));
  }
  if (type == "task.held") {
    return line(symbol("retrying"), name + " is held, a person decides: " + error_of(event));
  }
  if (type == "task.fallback") {
    return line(symbol("retrying"), name + " goes to its fallback: " + error_of(event));
  }
  if (type == "task.checked") return line(symbol("queued"), name + " may start: its preflight succeeded");
  if (type == "task.sla_missed") return line("!", name + " is late");
  if (type == "alert.raised") {
    return line("!", cell_of(event, "severity") + " alert: " + name + ": " + error_of(event));
  }
  if (type == "attempt.ended") {
    const std::string outcome = cell_of(event, "outcome");
    if (outcome == "lost" || outcome == "interrupted") return line(symbol("retrying"), name + ' ' + outcome);
  }
  if (type == "task.skipped" && !is_item) return line(symbol("skipped"), name + " skipped: " + step.note);
  if (type == "task.ended") {
    const std::string status = cell_of(event, "status");
    const std::string error = error_of(event);
    if (!is_item) {
      const std::string took = step.note == "cached" ? ", cached"
                               : step.started_at.us != 0
                                   ? ", " + short_duration(step.ended_at - step.started_at)
                                   : "";
      return line(symbol(status), name + ' ' + status + (error.empty() ? took : ": " + error));
    }
    if (status == "failed") return line(symbol(status), name + " failed: " + error);
    if (step.items == nullptr) return "";
    const std::uint64_t count = step.items->count;
    const std::uint64_t ended = step.items->ended;
    if (count >= 20 && ended < count && is_tenth(ended, count)) {
      return line(symbol("running"), step.name + ' ' + std::to_string(ended) + '/' + std::to_string(count));
    }
  }
  return "";
}

}  // namespace baton::cli
