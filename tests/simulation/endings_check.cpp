#include "endings_check.hpp"

#include "describe.hpp"
#include "model/resource.hpp"

namespace baton::simulation {
namespace {

using model::FactKind;
using model::RunStatus;
using model::TaskRole;
using model::TaskStatus;

const model::Endings* endings_of(const RunBook& run, const TaskBook& task) {
  return task.role == TaskRole::main ? run.step(task).endings.get() : nullptr;
}

bool needs_cleanup(const RunBook& run, const TaskBook& task) {
  const model::Endings* endings = endings_of(run, task);
  return endings != nullptr && endings->cleanup && task.effects > task.cleaned;
}

bool needs_undoing(const RunBook& run, const TaskBook& task) {
  const model::Endings* endings = endings_of(run, task);
  return endings != nullptr && endings->compensate && task.terminal && task.ended == TaskStatus::completed &&
         !task.expanded && task.completion > 0 && !task.undone && task.cached_from.empty();
}

std::string label(const RunBook& run, Ordinal task) {
  return "task " + describe(TaskId{run.id, task});
}

}  // namespace

// ---- Things

void EndingsCheck::made(const Token& token, const TaskId& task, const std::string& resource) {
  const auto view = reader_.get_task({task.run.key(), task.ordinal});
  // The answer was so long on its way that the attempt is over: nobody can promise anything for it.
  if (!view || !*view || (*view)->row.token != token) return diary_.hit("resource: made too late");
  things_[resource] = true;
  diary_.hit("resource: made");
  if (!reader_.get_record({model::RecordKind::resource, resource}).value())
    wrong("resource", resource + " is registered, and stored nowhere");
}

void EndingsCheck::given_back(const std::string& resource) {
  things_[resource] = false;
}

// ---- Facts

void EndingsCheck::task_added(RunBook& run, const model::Fact& fact) {
  TaskBook& helper = run.tasks[fact.task];
  TaskBook& parent = run.tasks[static_cast<Ordinal>(fact.number)];
  helper.role = fact.text == "cleanup"      ? TaskRole::cleanup
                : fact.text == "compensate" ? TaskRole::compensate
                                            : TaskRole::resource;
  helper.parent = static_cast<Ordinal>(fact.number);
  helper.about = fact.other;
  helper.covers = parent.starts;
  diary_.hit("helper: " + fact.text +
             (fact.other.empty() || helper.role == TaskRole::resource ? "" : ", by a person"));
  check_order(run, fact, parent);
  if (helper.role == TaskRole::compensate) parent.undone = true;
}

void EndingsCheck::check_order(const RunBook& run, const model::Fact& fact, const TaskBook& parent) {
  if (!fact.other.empty()) return;  // a person's wish
  const std::string what = describe(run.id.key(), fact);
  if (fact.text == "compensate") {
    for (const auto& [ordinal, other] : run.tasks) {
      if (ordinal != fact.task && other.role == TaskRole::compensate && !other.terminal &&
          other.about.empty())
        wrong("order", what + " beside another compensation");
      if (&other != &parent && needs_undoing(run, other) && other.completion > parent.completion)
        wrong("order", what + " before that of " + label(run, ordinal) + ", which completed later");
    }
  }
  const model::Endings* endings = endings_of(run, parent);
  const bool early = endings != nullptr && endings->cleanup_after;  // begins with the end of another step
  if (fact.text == "cleanup" && run.stage == model::RunStage::cleanup && !early) {
    for (const auto& [ordinal, other] : run.tasks) {
      if (ordinal == fact.task) continue;
      const model::Step& step = run.step(other);
      if (std::ranges::find(step.needs, parent.step) == step.needs.end()) continue;
      const bool open = other.role == TaskRole::cleanup && !other.terminal && other.about.empty();
      if (open || needs_cleanup(run, other))
        wrong("order", what + " before " + label(run, ordinal) + ", which needed it, is cleaned up");
    }
  }
}

void EndingsCheck::attempt_starts(const TaskBook& task, const std::string& what) {
  // What a lost attempt has made is given back before the next one, whoever wants that and whatever it does.
  if (task.last_end != "lost" || task.role != TaskRole::main) return;
  for (const auto& [name, attempt] : task.things) {
    if (attempt <= task.starts)
      wrong("resource", what + " while " + name + " of the lost attempt is not given back");
  }
}

void EndingsCheck::stage_begins(const RunBook& run) {
  if (run.stage != model::RunStage::compensate || run.no_cleanup) return;
  for (const auto& [ordinal, task] : run.tasks) {
    if (run.outcome != RunStatus::completed && needs_undoing(run, task))
      wrong("I13", label(run, ordinal) + " is not undone");
    if (task.role == TaskRole::compensate && !task.terminal)
      wrong("I13", label(run, ordinal) + ", a compensation, is open at the end of its stage");
  }
}

void EndingsCheck::resource_fact(RunBook& run, TaskBook& task, const model::Fact& fact) {
  const std::string what = describe(run.id.key(), fact);
  switch (fact.kind) {
    case FactKind::resource_opened:
      task.things[fact.text] = fact.attempt;
      return;
    case FactKind::resource_leaked:
      if (fact.text == "(cleanup)") task.cleaned = std::max(task.cleaned, task.effects);
      if (fact.text == "(compensate)") task.undone = true;
      break;
    case FactKind::resource_cleaned: {
      bool done = false;
      const bool declared = fact.text[0] == '(';  // what a cleanup or compensation of its step stands for
      for (const auto& [ordinal, helper] : run.tasks) {
        if (helper.parent != fact.task || helper.role == TaskRole::main) continue;
        done = done || ((helper.about == fact.text || declared) && helper.ended == TaskStatus::completed);
      }
      if (!done) wrong("resource", what + ", and nobody has done it");
      break;
    }
    default:
      break;
  }
  task.things.erase(fact.text);
}

void EndingsCheck::run_ends(const RunBook& run) {
  for (const auto& [ordinal, task] : run.tasks) {
    if (needs_cleanup(run, task))
      wrong("I13", fmt::format("{} began attempt {} and is cleaned up after up to {}", label(run, ordinal),
                               task.effects, task.cleaned));
    if (!task.things.empty())
      wrong("resource", label(run, ordinal) + " has not given back " + task.things.begin()->first);
    if (task.role != TaskRole::main && !task.terminal)
      wrong("I13", label(run, ordinal) + ", which serves another one, is open");
  }
}

void EndingsCheck::finish() {
  for (const auto& [resource, exists] : things_) {
    if (!exists) continue;
    const auto record = reader_.get_record({model::RecordKind::resource, resource});
    if (!record || !*record) {
      wrong("resource", resource + " still exists, and nobody knows of it");
      continue;
    }
    const auto known = model::resource_of(**record);
    if (!known || known->status != model::ResourceStatus::leaked)
      wrong("resource", resource + " is neither given back nor leaked");
    diary_.hit("resource: leaked, and on the list");
  }
}

}  // namespace baton::simulation
