// baton doctor: is everything in order, and what to do where it is not.
#include "cli/commands/doctor.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/duration.hpp"
#include "cli/commands/commands.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/text_width.hpp"
#include "cli/words.hpp"
#include "embedded/checkup.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;
using embedded::Finding;
using embedded::Health;

struct Options {
  std::string older_than = "2h";
  bool fail_stuck = false;
  bool thorough = false;
};

struct Stuck {
  std::string run;
  std::string workflow;
  std::string status;
  std::string since;   // when something happened to it for the last time
  std::string reason;  // why it does not go on
  std::string ended;   // by --fail-stuck: its status afterwards, or why that was refused
};

// What a run may wait for however long it takes: a time, a person, another run, what somebody has paused.
constexpr std::array<std::string_view, 11> kMayWait = {
    "waiting",         "held",          "run_paused",   "step_paused", "queue_paused",  "worker_paused",
    "worker_draining", "target_paused", "breaker_open", "retry_delay", "recovery_delay"};

class Doctor {
 public:
  Doctor(const Context& context, const Options& options, Duration older_than)
      : context_(context),
        options_(options),
        older_than_(older_than),
        session_(context.settings, context.console) {}

  void examine() {
    look_at_configuration();
    if (const auto opened = session_.open(Purpose::look); opened) {
      look_at_data_dir();
      look_at_owner();
      look_at_services();
      look_for_stuck_runs();
    } else {
      add("owner", Health::error, opened.error().message, "");
    }
  }

  Health health() const { return std::ranges::max_element(findings_, {}, &Finding::health)->health; }

  json::object report() const {
    json::object report;
    report["status"] = name(health());
    json::array checks;
    for (const Finding& finding : findings_) {
      checks.push_back(
          json::object{{"check", finding.check},
                       {"status", name(finding.health)},
                       {"message", finding.message},
                       {"advice", finding.advice.empty() ? json::value() : json::value(finding.advice)}});
    }
    report["checks"] = std::move(checks);
    json::array stuck;
    for (const Stuck& run : stuck_) {
      stuck.push_back(json::object{{"run", run.run},
                                   {"workflow", run.workflow},
                                   {"status", run.ended.empty() ? run.status : run.ended},
                                   {"since", run.since},
                                   {"reason", run.reason}});
    }
    report["stuck"] = std::move(stuck);
    return report;
  }

  void print() const {
    print_object(context_.console, context_.settings.output, report(),
                 [&](const Style& style) { return for_people(style); });
  }

 private:
  void add(std::string check, Health health, std::string message, std::string advice) {
    findings_.push_back({std::move(check), health, std::move(message), std::move(advice)});
  }
  template <typename Ask>
  auto ask(Ask question) {
    return session_.ask(Purpose::look, question);
  }

  // That it has no mistakes is known: no command runs with one.
  void look_at_configuration() {
    const std::string& file = context_.settings.config_file;
    std::string message = file.empty() ? "no file" : file;
    for (const Setting& setting : context_.settings.all) {
      if (setting.origin != "default") message += ", " + setting.name + " by " + setting.origin;
    }
    add("configuration", Health::ok, std::move(message), "");
  }

  void look_at_data_dir() {
    const embedded::CheckupOptions checkup{.data_dir = context_.settings.data_dir,
                                           .min_free_space = context_.settings.min_free_space,
                                           .thorough = options_.thorough};
    for (Finding& finding : embedded::check_data_dir(checkup, wall_now()))
      findings_.push_back(std::move(finding));
  }

  void look_at_owner() {
    const auto version = ask([](client::Client& client) { return client.version(); });
    if (!version) return add("owner", Health::error, version.error().message, "");
    const std::string theirs = cell_of(*version, "version");
    const std::string shown = "version " + theirs;
    if (session_.owner() != nullptr) {
      add("owner", Health::ok, shown + "; no other process has the data directory", "");
    } else if (theirs != kVersion) {
      add("owner", Health::warning, shown + ", and this is " + kVersion,
          "start it again, so that both are of one version");
    } else {
      add("owner", Health::ok, shown + ", process " + cell_of(*version, "pid"), "");
    }
  }

  void look_at_services() {
    const auto metrics = ask([](client::Client& client) { return client.metrics(); });
    if (!metrics) return add("runs", Health::error, metrics.error().message, "");
    if (const auto since = parse_rfc3339(text_of(*metrics, "since"))) owner_since_ = *since;
    look_at_runs(*metrics);
    look_at_queues(*metrics);
    look_at_breakers(*metrics);
    look_at_resources();
    look_at_secrets();
  }

  void look_at_runs(const json::object& metrics) {
    const json::object none;
    const auto* runs = object_of(metrics, "runs");
    const auto* tasks = object_of(metrics, "tasks");
    const std::int64_t aside = whole_number_of(runs != nullptr ? *runs : none, "set_aside");
    const std::int64_t held = whole_number_of(tasks != nullptr ? *tasks : none, "held");
    const std::int64_t letters = whole_number_of(tasks != nullptr ? *tasks : none, "dead_letters");
    if (aside > 0) {
      add("runs", Health::error, std::to_string(aside) + " cannot be read and are left as they are",
          "the owner's log names them; restore a backup if they are needed");
      return;
    }
    std::string message = std::to_string(letters) + (letters == 1 ? " dead letter" : " dead letters");
    if (held > 0)
      message += ", " + std::to_string(held) + (held == 1 ? " task waits" : " tasks wait") + " for a person";
    add("runs", Health::ok, std::move(message), "");
  }

  // Of this process itself there is no worker: it only looks.
  void look_at_queues(const json::object& metrics) {
    if (session_.owner() != nullptr) return;
    const auto queues = ask([](client::Client& client) { return client.all("queues"); });
    if (!queues) return add("queues", Health::error, queues.error().message, "");
    bool any = false;
    for (const json::object& queue : queues->items) {
      if (number_of(queue, "queued") == 0 || number_of(queue, "workers") > 0) continue;
      any = true;
      add("queues", Health::warning,
          cell_of(queue, "queued") + " tasks wait in " + cell_of(queue, "name") +
              ", and no worker takes them",
          "start a worker for that queue, or route the steps elsewhere (baton routes set)");
    }
    if (any) return;
    double oldest = 0;
    if (const auto* list = metrics.if_contains("queues"); list != nullptr && list->is_array()) {
      for (const json::value& queue : list->get_array()) {
        if (queue.is_object()) oldest = std::max(oldest, number_of(queue.get_object(), "oldest"));
      }
    }
    const std::string waits =
        oldest > 0 ? "the oldest task waits " + to_display(Duration{static_cast<std::int64_t>(oldest * 1e6)})
                   : "nothing waits";
    add("queues", Health::ok,
        std::to_string(queues->items.size()) + (queues->items.size() == 1 ? " queue, " : " queues, ") + waits,
        "");
  }

  void look_at_breakers(const json::object& metrics) {
    const auto* list = metrics.if_contains("breakers");
    if (list == nullptr || !list->is_array()) return;
    for (const json::value& breaker : list->get_array()) {
      if (!breaker.is_object() || cell_of(breaker.get_object(), "state") != "open") continue;
      const std::string name = cell_of(breaker.get_object(), "breaker");
      add("breakers", Health::warning, name + " is open: its tasks wait",
          "baton breakers get " + name + " says what failed the last time");
    }
  }

  void look_at_resources() {
    const auto leaked =
        ask([](client::Client& client) { return client.resources({.status = "leaked", .limit = 100}); });
    if (!leaked) return add("resources", Health::error, leaked.error().message, "");
    if (leaked->items.empty()) return;
    add("resources", Health::warning,
        std::to_string(leaked->items.size()) + (leaked->next.empty() ? "" : " or more") +
            " could not be given back",
        "baton resources list --status leaked, then baton resources cleanup");
  }

  // With another key file than they were sealed with, after a restore, say, no attempt gets them.
  void look_at_secrets() {
    const auto secrets = ask([](client::Client& client) { return client.all("secrets"); });
    if (!secrets) return add("secrets", Health::error, secrets.error().message, "");
    std::string unreadable;
    std::string problem;
    for (const json::object& secret : secrets->items) {
      if (text_of(secret, "status") != "unreadable") continue;
      unreadable += (unreadable.empty() ? "" : ", ") + text_of(secret, "name");
      if (problem.empty()) problem = text_of(secret, "problem");
    }
    if (!unreadable.empty()) {
      return add("secrets", Health::error, unreadable + " cannot be opened: " + problem,
                 "put the data directory's secrets.key back, or set them again (baton secrets set)");
    }
    if (secrets->items.empty()) return;
    add("secrets", Health::ok,
        std::to_string(secrets->items.size()) + (secrets->items.size() == 1 ? " secret" : " secrets"), "");
  }

  void look_for_stuck_runs() {
    if (session_.owner() != nullptr) {
      return add("stuck runs", Health::ok, "nobody carried runs out until now", "");
    }
    const WallTime before = wall_now() - older_than_;
    // Nothing happens to a run while there is nobody to carry it out.
    if (!owner_since_ || *owner_since_ >= before) {
      return add("stuck runs", Health::ok,
                 "the owner has been there for less than " + to_display(older_than_), "");
    }
    client::RunQuery query{.state = "active", .limit = 200};
    do {
      const auto page = ask([&](client::Client& client) { return client.runs(query); });
      if (!page) return add("stuck runs", Health::error, page.error().message, "");
      for (const json::object& run : page->items) look_at_run(run, before);
      query.cursor = page->next;
    } while (!query.cursor.empty());
    if (stuck_.empty()) {
      return add("stuck runs", Health::ok, "none for " + to_display(older_than_), "");
    }
    const bool one = stuck_.size() == 1;
    add("stuck runs", Health::warning,
        std::to_string(stuck_.size()) + (one ? " run has" : " runs have") + " done nothing for " +
            to_display(older_than_),
        options_.fail_stuck ? "" : "baton explain RUN says why; baton doctor --fail-stuck ends them");
  }

  void look_at_run(const json::object& run, WallTime before) {
    const std::string id = text_of(run, "id");
    const auto created = parse_rfc3339(text_of(run, "created_at"));
    if (!created || *created >= before) return;
    const auto history = ask([&](client::Client& client) { return client.history(id, 1, ""); });
    if (!history || history->items.empty()) return;
    const auto last = parse_rfc3339(last_instant(history->items.front()));
    if (!last || *last >= before) return;
    const auto explained = ask([&](client::Client& client) { return client.explain_run(id); });
    if (!explained) return;  // it has ended meanwhile
    std::string reason;
    const auto* reasons = explained->if_contains("reasons");
    if (reasons != nullptr && reasons->is_array()) {
      for (const json::value& one : reasons->get_array()) {
        if (!one.is_object()) continue;
        const json::object& said = one.get_object();
        if (std::ranges::find(kMayWait, text_of(said, "code")) != kMayWait.end() ||
            !text_of(said, "until").empty())
          return;
        reason += (reason.empty() ? "" : "; ") + cell_of(said, "message");
      }
    }
    Stuck stuck{id, cell_of(run, "workflow"), cell_of(run, "status"), to_rfc3339(*last), reason, ""};
    if (options_.fail_stuck) end(stuck);
    stuck_.push_back(std::move(stuck));
  }

  // Of a commit's entry in the history: the instant of its last fact.
  static std::string last_instant(const json::object& entry) {
    const auto* facts = entry.if_contains("facts");
    if (facts == nullptr || !facts->is_array() || facts->get_array().empty()) return text_of(entry, "at");
    const json::value& last = facts->get_array().back();
    return last.is_object() ? text_of(last.get_object(), "at") : "";
  }

  void end(Stuck& stuck) {
    const std::string reason = "baton doctor: nothing happened for " + to_display(older_than_);
    const auto done = ask([&](client::Client& client) {
      return client.steer_run(stuck.run, "cancel", {{"give_up", true}, {"reason", reason}});
    });
    stuck.ended = done ? cell_of(*done, "status") : done.error().message;
  }

  std::string for_people(const Style& style) const {
    std::string text;
    for (const Finding& finding : findings_) {
      const std::string head = pad(finding.check, 16);
      switch (finding.health) {
        case Health::ok:
          text += style.green("✓ ") + head;
          break;
        case Health::warning:
          text += style.yellow("! ") + head;
          break;
        case Health::error:
          text += style.red("✗ ") + head;
          break;
      }
      text += one_line(finding.message) + '\n';
      if (!finding.advice.empty()) text += std::string(18, ' ') + style.dim(one_line(finding.advice)) + '\n';
    }
    for (const Stuck& run : stuck_) {
      text += "  " + run.run + "  " + run.workflow + "  " + (run.ended.empty() ? run.status : run.ended) +
              "  since " + run.since + (run.reason.empty() ? "" : "  " + run.reason) + '\n';
    }
    return text;
  }

  const Context& context_;
  const Options& options_;
  const Duration older_than_;
  Session session_;
  std::optional<WallTime> owner_since_;
  std::vector<Finding> findings_;
  std::vector<Stuck> stuck_;
};

int doctor(const Context& context, const Options& options) {
  const auto older_than = parse_duration(options.older_than);
  if (!older_than) {
    return context.fail(
        {ErrorCode::usage, "--older-than takes a time such as 2h: " + older_than.error().message, ""});
  }
  Doctor doctor(context, options, *older_than);
  doctor.examine();
  doctor.print();
  return doctor.health() == Health::ok ? kOk : kFailure;
}

}  // namespace

json::object doctor_report(const Context& context) {
  const Options usual;
  Doctor doctor(context, usual, Duration::hours(2));
  doctor.examine();
  return doctor.report();
}

void add_doctor(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      program.command(program.app(), "doctor", "Looks whether everything is in order",
                      [options](const Context& context) { return doctor(context, *options); });
  command
      .add_option("--older-than", options->older_than,
                  "How long nothing has happened to a run that counts as stuck (2h)")
      ->type_name("TIME");
  command.add_flag("--fail-stuck", options->fail_stuck,
                   "Cancels stuck runs; what they have to give back is given back");
  command.add_flag("--thorough", options->thorough,
                   "Also holds the database's indexes against its tables: slow");
}

}  // namespace baton::cli
