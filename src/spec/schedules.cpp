#include "spec/schedules.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "spec/check.hpp"

namespace baton::spec {
namespace {

std::string shown(std::string_view text) {
  return printable(utf8_prefix(text, 128));
}

using Zones = std::function<const calendar::ZoneTable*()>;

class Schedules {
 public:
  Schedules(const Tree& tree, const Zones& zones, Findings& findings)
      : tree_(tree), zones_(zones), findings_(findings) {
    const auto inputs = tree.find(tree.root(), "inputs");
    if (!inputs) return;
    for (const Member m : tree.members(inputs->value)) {
      names_.push_back(tree.text(m.key));
      if (!tree.find(m.value, "default") && !tree.find(m.value, "optional"))
        required_.insert(tree.text(m.key));
    }
    declared_.insert(names_.begin(), names_.end());
  }

  void check(NodeId list) {
    for (const NodeId schedule : tree_.items(list)) {
      if (findings_.full()) return;
      if (tree_.is(schedule, NodeKind::map)) one(schedule);
    }
  }

 private:
  void one(NodeId schedule) {
    const Member* first = nullptr;
    Member when;
    for (const Member m : tree_.members(schedule)) {
      const std::string_view key = tree_.text(m.key);
      if (key != "cron" && key != "every" && key != "at") continue;
      if (first != nullptr) {
        findings_.error(m.key, "a schedule has one of `cron`, `every` and `at`: it has `" +
                                   std::string(tree_.text(first->key)) + "` already");
        continue;
      }
      when = m;
      first = &when;
    }
    if (first == nullptr) {
      findings_.error(schedule, "a schedule needs one of `cron`, `every` and `at`",
                      "write cron: \"0 4 * * *\" for every day at 4:00");
    } else {
      timing(schedule, tree_.text(first->key), first->value);
    }
    if (const auto name = tree_.find(schedule, "name"); name && !tree_.is_collection(name->value)) {
      if (!taken_.insert(tree_.text(name->value)).second) {
        findings_.error(name->value,
                        "the name \"" + shown(tree_.text(name->value)) + "\" is taken by another schedule");
      }
    }
    input(schedule);
  }

  void timing(NodeId schedule, std::string_view kind, NodeId value) {
    if (kind == "every") {
      const auto interval = read_duration(tree_, value);
      if (interval && *interval < Duration::seconds(1)) findings_.error(value, "`every` must be at least 1s");
    }
    if (const auto zone = tree_.find(schedule, "timezone")) {
      if (kind != "cron") findings_.error(zone->key, "`timezone` has no effect without `cron`");
      if (zones_ && tree_.is(zone->value, NodeKind::string)) this->zone(zone->value);
    }
    if (const auto window = tree_.find(schedule, "catchup_window")) {
      const auto catchup = tree_.find(schedule, "catchup");
      if (catchup && tree_.text(catchup->value) == "none") {
        findings_.error(window->key, "`catchup_window` has no effect with `catchup: none`");
      }
    }
  }

  void zone(NodeId node) {
    const std::string_view name = tree_.text(node);
    const calendar::ZoneTable* table = zones_();
    if (table == nullptr || table->find(name) != nullptr || findings_.full()) return;
    const std::string_view meant = nearest(name, table->names());
    findings_.error(node, "unknown time zone \"" + shown(name) + "\"",
                    meant.empty() ? "" : "did you mean " + std::string(meant) + "?");
  }

  void input(NodeId schedule) {
    const auto input = tree_.find(schedule, "input");
    if (input && !tree_.is(input->value, NodeKind::map)) return;  // reported by the table's check
    std::set<std::string_view> missing = required_;
    if (input) {
      for (const Member m : tree_.members(input->value)) {
        const std::string_view name = tree_.text(m.key);
        missing.erase(name);
        if (declared_.contains(name) || findings_.full()) continue;
        const std::string_view meant = nearest(name, names_);
        findings_.error(
            m.key, "unknown input \"" + shown(name) + "\"",
            meant.empty() ? "declare it under `inputs`" : "did you mean \"" + std::string(meant) + "\"?");
      }
    }
    for (const std::string_view name : missing) {
      findings_.error(input ? input->key : schedule, "the schedule has no value for the input \"" +
                                                         shown(name) + "\", which has no default");
    }
  }

  const Tree& tree_;
  const Zones& zones_;
  Findings& findings_;
  std::vector<std::string_view> names_;
  std::set<std::string_view> declared_;
  std::set<std::string_view> required_;
  std::set<std::string_view> taken_;
};

}  // namespace

void check_schedules(const Tree& tree, const Zones& zones, Findings& findings) {
  if (const auto list = tree.find(tree.root(), "schedules")) {
    Schedules(tree, zones, findings).check(list->value);
  }
}

void check_rollout(const Tree& tree, Findings& findings) {
  const auto rollout = tree.find(tree.root(), "rollout");
  if (!rollout) return;
  const auto rollback = tree.find(rollout->value, "rollback");
  if (!rollback || !tree.is(rollback->value, NodeKind::map)) return;
  if (!tree.find(rollback->value, "failure_rate") && !tree.find(rollback->value, "duration")) {
    findings.error(rollback->key, "`rollback` needs `failure_rate` or `duration`");
  }
}

}  // namespace baton::spec
