#include "api/queries.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <map>

#include "api/render.hpp"
#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "model/run_tag.hpp"

namespace baton::api {
namespace {

using model::TaskRow;
using model::Workflow;

constexpr std::size_t kWindow = 256;            // rows that are read together
constexpr std::size_t kSmallResult = 64 << 10;  // larger results are read one by one

// What people attached to a run, as JSON.
struct Attached {
  std::string metadata = "{}";
  std::string labels = "{}";
};

// A run's own labels win over its workflow's.
Attached attached_to(const std::string& context, const Workflow* workflow) {
  Attached attached;
  boost::json::object labels;
  if (workflow != nullptr && workflow->labels.is_object()) labels = workflow->labels.get_object();
  boost::system::error_code error;
  const boost::json::value parsed = parse_json(context, error, {}, {.max_depth = kReadJsonDepth});
  if (!error && parsed.is_object()) {
    const auto* metadata = parsed.get_object().if_contains("metadata");
    if (metadata != nullptr && metadata->is_object()) attached.metadata = boost::json::serialize(*metadata);
    const auto* own = parsed.get_object().if_contains("labels");
    if (own != nullptr && own->is_object()) {
      for (const auto& [name, value] : own->get_object()) labels[name] = value;
    }
  }
  if (!labels.empty()) attached.labels = boost::json::serialize(labels);
  return attached;
}

}  // namespace

std::string run_cursor(std::optional<RunKey> next) {
  return next ? RunId::make(*next, WallTime{}, Seed{}).text() : "";
}

std::optional<RunKey> parse_run_cursor(std::string_view text) {
  const auto id = RunId::parse(text);
  return id ? std::optional(id->key()) : std::nullopt;
}

namespace {

std::string close_list(JsonText& out, const std::string& next) {
  out.end_array();
  out.key("next").string_or_null(next);
  out.end_object();
  return out.take();
}

// The row of a task that never changed.
TaskRow pending(const model::RunRow& run, const RunSteps& steps, Ordinal ordinal, Ordinal step,
                std::int32_t index) {
  TaskRow row;
  row.key = {run.key, ordinal};
  row.step = step;
  row.index = index;
  const std::int8_t own = steps.priority(step);
  row.priority = own >= 0 ? static_cast<std::uint8_t>(own) : run.priority;
  return row;
}

}  // namespace

std::optional<TaskCursor> TaskCursor::parse(std::string_view text) {
  TaskCursor cursor;
  const char* end = text.data() + text.size();
  const auto step = std::from_chars(text.data(), end, cursor.step);
  if (step.ec != std::errc{} || step.ptr == end || *step.ptr != '.') return std::nullopt;
  const auto item = std::from_chars(step.ptr + 1, end, cursor.item);
  if (item.ec != std::errc{} || item.ptr != end) return std::nullopt;
  return cursor;
}

std::string TaskCursor::text() const {
  return std::to_string(step) + '.' + std::to_string(item);
}

// A run that tasks are read of.
struct Queries::Run {
  store::RunView view;
  std::shared_ptr<const RunSteps> steps;
  // The mapped steps that were looked up for dependencies.
  std::map<Ordinal, TaskRow> mapped;

  const model::RunRow& row() const { return view.row; }
};

Result<store::RunView> Queries::find(const RunId& id) {
  TRY(std::optional<store::RunView> view, store_.get_run(id));
  if (!view) return fail(ErrorCode::not_found, "there is no run " + id.text());
  return std::move(*view);
}

std::shared_ptr<const Workflow> Queries::workflow_of(const model::RunRow& row) {
  auto workflow = definitions_.get(row.definition);
  return workflow ? *workflow : nullptr;
}

Result<Queries::Run> Queries::open(const RunId& id) {
  TRY(store::RunView view, find(id));
  TRY(std::shared_ptr<const RunSteps> steps, steps_of(view.row));
  return Run{std::move(view), std::move(steps), {}};
}

Result<std::shared_ptr<const RunSteps>> Queries::steps_of(const model::RunRow& row) {
  TRY(std::shared_ptr<const Workflow> workflow, definitions_.get(row.definition));
  std::vector<RunSteps::Part> parts;
  if (row.additions > 0) {
    const std::string prefix = model::additions_of(row.id);
    TRY(const std::vector<model::Record> records,
        store_.list_records({.kind = model::RecordKind::addition, .group = {}}, prefix, row.additions));
    for (const model::Record& record : records) {
      if (!record.id.key.starts_with(prefix)) break;
      TRY(model::Addition addition, model::addition_of(record));
      TRY(std::shared_ptr<const Workflow> text, definitions_.parse(addition.hash, addition.text));
      addition.text.clear();
      // Only a recovery begins the next generation of a task that has added others.
      bool old = false;
      if (row.recovery_attempts > 0) {
        TRY(const std::optional<store::TaskView> parent, store_.get_task({row.key, addition.parent}));
        old = !parent || parent->row.generation > addition.generation;
      }
      for (const RunSteps::Part& before : parts) {
        const Ordinal place = addition.parent_step - before.is.first;
        old |= before.old && addition.parent_step >= before.is.first && place < before.is.count;
      }
      parts.push_back({std::move(addition), std::move(text), old});
    }
  }
  return std::make_shared<const RunSteps>(std::move(workflow), std::move(parts));
}

std::shared_ptr<const RunSteps> Queries::known_steps_of(const model::RunRow& row) {
  auto steps = steps_of(row);
  return steps ? *steps : nullptr;
}

Result<std::optional<model::Pause>> Queries::pause_of(const model::RunRow& row) {
  if (row.status != model::RunStatus::paused) return std::nullopt;
  model::Pause pause;
  pause.run = row.id;
  TRY(const std::optional<model::Record> record, store_.get_record(record_key(pause)));
  if (!record) return std::nullopt;  // resumed since
  TRY(pause, model::pause_of(*record));
  return pause;
}

std::size_t Queries::ended_steps(const model::RunRow& row, const RunSteps* all) {
  if (all == nullptr) return 0;
  const std::size_t steps = all->size();
  if (row.status == model::RunStatus::completed) return steps;
  const bool mapped = row.next_ordinal > steps;
  if (!mapped) return std::min<std::size_t>(row.counts.ended(), steps);
  // Which of the tasks that have ended are steps is in their rows. Of a large definition it is told by its
  // share: lists show many runs at once.
  if (steps > kWindow) {
    return row.counts.total > 0 ? std::size_t{row.counts.ended()} * steps / row.counts.total : 0;
  }
  std::size_t ended = 0;
  for (std::size_t place = 0; place < steps;) {
    const RunSteps::Stretch stretch = all->from(place);
    const auto views = store_.list_tasks(row.key, stretch.first, stretch.count, 0);
    if (!views) return ended;
    for (const store::TaskView& view : *views) {
      if (view.row.key.ordinal - stretch.first < stretch.count && is_terminal(view.row.status)) ++ended;
    }
    place += stretch.count;
  }
  return ended;
}

// The first ones; `GET /resources?run=` has them all.
Result<std::string> Queries::resources_of(const RunId& run) {
  constexpr std::size_t kMost = 100;
  const std::string prefix = run.text() + '.';
  TRY(const std::vector<model::Record> records,
      store_.list_records({.kind = model::RecordKind::resource}, prefix, kMost));
  JsonText out;
  out.begin_array();
  for (const model::Record& record : records) {
    if (!record.id.key.starts_with(prefix)) break;
    if (const auto resource = model::resource_of(record)) write_resource(*resource, false, out);
  }
  out.end_array();
  return out.take();
}

Result<Tagged> Queries::run(const RunId& id) {
  TRY(const store::RunView view, find(id));
  return run(view);
}

Result<Tagged> Queries::run(const store::RunView& view) {
  const auto steps = known_steps_of(view.row);
  TRY(const std::optional<std::string> input,
      store_.get_payload({view.row.key, model::PayloadSlot::run_input}));
  const Attached attached = attached_to(view.context, steps ? &steps->definition() : nullptr);
  TRY(const std::optional<model::Pause> pause, pause_of(view.row));
  TRY(const std::string resources, resources_of(view.row.id));
  JsonText out;
  write_run(view.row,
            {steps.get(), ended_steps(view.row, steps.get()), attached.metadata, attached.labels,
             pause ? &*pause : nullptr, input ? std::string_view(*input) : "{}", resources},
            out);
  return Tagged{out.take(), model::run_tag(view.row.priority, view.context)};
}

Status Queries::write_run_item(const model::RunRow& row, JsonText& out) {
  const auto steps = known_steps_of(row);
  TRY(const std::optional<std::string> context,
      store_.get_payload({row.key, model::PayloadSlot::run_context}));
  const Attached attached = attached_to(context.value_or(""), steps ? &steps->definition() : nullptr);
  TRY(const std::optional<model::Pause> pause, pause_of(row));
  write_run(row,
            {steps.get(), ended_steps(row, steps.get()), attached.metadata, attached.labels,
             pause ? &*pause : nullptr, std::nullopt, std::nullopt},
            out);
  return {};
}

Result<std::string> Queries::runs(const store::RunFilter& filter, std::optional<RunKey> before,
                                  std::size_t limit) {
  TRY(const store::RunPage page, store_.list_runs(filter, before, limit));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const model::RunRow& row : page.rows) {
    TRY_VOID(write_run_item(row, out));
  }
  return close_list(out, run_cursor(page.next));
}

Result<std::string> Queries::recoverable_runs(const store::RunFilter& filter, std::optional<RunKey> before,
                                              std::size_t limit) {
  JsonText out;
  out.begin_object().key("items").begin_array();
  // A page may have fewer items than its limit although there are more: at most this many runs are looked at.
  constexpr std::size_t kLookedAt = 1000;
  TRY(const store::RunPage page, store_.list_runs(filter, before, kLookedAt));
  std::size_t written = 0;
  std::string next = run_cursor(page.next);
  for (const model::RunRow& row : page.rows) {
    const auto workflow = workflow_of(row);
    if (workflow == nullptr || row.recovery_attempts >= workflow->max_recovery_attempts) continue;
    TRY_VOID(write_run_item(row, out));
    if (++written == limit) {
      next = run_cursor(row.key);
      break;
    }
  }
  return close_list(out, next);
}

Result<std::string> Queries::history(const RunId& id, std::optional<JournalSequence> before,
                                     std::size_t limit) {
  TRY(const store::RunView view, find(id));
  const auto steps = known_steps_of(view.row);
  JsonText out;
  out.begin_object().key("items").begin_array();
  bool more = true;
  // A few at a time: one commit may have thousands of facts.
  for (std::size_t left = limit; left > 0 && more && out.size() < kPageBytes;) {
    const std::size_t wanted = std::min<std::size_t>(left, 16);
    TRY(const std::vector<store::JournalView> entries, store_.run_journal(view.row.key, before, wanted));
    for (const store::JournalView& entry : entries) {
      out.begin_object();
      out.key("sequence").integer(entry.sequence);
      out.key("cause").string(entry.facts.cause);
      out.key("actor").string(entry.facts.actor);
      out.key("facts").begin_array();
      for (const model::Fact& fact : entry.facts.facts) write_fact(id, fact, steps.get(), out);
      out.end_array().end_object();
      before = entry.sequence;
    }
    left -= entries.size();
    more = entries.size() == wanted;
  }
  return close_list(out, more && before ? std::to_string(*before) : "");
}

Result<std::optional<std::string>> Queries::result_of(Run& run, const store::TaskView& view) {
  const TaskRow& row = view.row;
  // What a failed attempt left is for the actions of its step only (SEMANTICS 6).
  if (row.status != model::TaskStatus::completed) return std::nullopt;
  if (view.result) return view.result;
  if (row.expanded) {
    if (row.item_count == 0) return "[]";
    return store_.get_payload(
        {run.row().key, model::PayloadSlot::item_results, row.first_item, row.item_count});
  }
  if (!row.has_result) return std::nullopt;
  return store_.get_payload({run.row().key, model::PayloadSlot::task_result, row.key.ordinal});
}

Status Queries::write_task_item(Run& run, const store::TaskView& view, bool attempt_list, JsonText& out) {
  std::vector<Ordinal> dependencies;
  const bool helper = view.row.role != model::TaskRole::main;
  std::int32_t index = view.row.index;
  if (helper) {
    // It is about the task that it serves.
    TRY(const std::optional<store::TaskView> parent, store_.get_task({run.row().key, view.row.parent}));
    if (parent) index = parent->row.index;
    dependencies.push_back(view.row.parent);
  }
  for (const Ordinal need : helper ? std::vector<Ordinal>() : run.steps->needs(view.row.step)) {
    // Behind a join stand the items that it waited for. Between two mapped steps it is the step's own task:
    // the items' would be the product of both.
    if (run.steps->find(need)->for_each.is_null() || view.row.index >= 0) {
      dependencies.push_back(need);
      continue;
    }
    auto found = run.mapped.find(need);
    if (found == run.mapped.end()) {
      TRY(const std::optional<store::TaskView> stored, store_.get_task({run.row().key, need}));
      found = run.mapped.emplace(need, stored ? stored->row : pending(run.row(), *run.steps, need, need, -1))
                  .first;
    }
    const TaskRow& mapped = found->second;
    if (!mapped.expanded || mapped.item_count == 0) {
      dependencies.push_back(need);
      continue;
    }
    for (std::uint32_t i = 0; i < mapped.item_count; ++i) dependencies.push_back(mapped.first_item + i);
  }
  TRY(const std::optional<std::string> result, result_of(run, view));
  write_task(view.row,
             {run.row().id, *run.steps, dependencies, result ? std::string_view(*result) : "null",
              attempt_list, index},
             out);
  return {};
}

Result<std::string> Queries::tasks(const RunId& id, TaskCursor at, std::size_t limit) {
  TRY(Run run, open(id));
  JsonText out;
  out.begin_object().key("items").begin_array();
  std::size_t written = 0;
  const auto full = [&] { return written == limit || out.size() > kPageBytes; };

  // `count` tasks from ordinal `first` on, stored or not; `describe(i)` makes the row of one that is not
  // stored.
  const auto each = [&](Ordinal first, std::size_t count, const auto& describe, const auto& visit) -> Status {
    TRY(const std::vector<store::TaskView> stored,
        store_.list_tasks(run.row().key, first, count, kSmallResult));
    auto next = stored.begin();
    for (std::size_t i = 0; i < count && !full(); ++i) {
      const bool found = next != stored.end() && next->row.key.ordinal == first + i;
      TRY_VOID(visit(found ? *next : store::TaskView{describe(i), std::nullopt}));
      if (found) ++next;
    }
    return {};
  };
  const auto write = [&](const store::TaskView& view) -> Status {
    ++written;
    return write_task_item(run, view, false, out);
  };
  const auto write_items = [&](const TaskRow& mapped) -> Status {
    while (at.item < mapped.item_count && !full()) {
      const std::size_t count = std::min<std::size_t>(kWindow, mapped.item_count - at.item);
      const std::uint32_t first = at.item;
      TRY_VOID(each(
          mapped.first_item + first, count,
          [&](std::size_t i) {
            return pending(run.row(), *run.steps, mapped.first_item + first + static_cast<Ordinal>(i),
                           mapped.step, static_cast<std::int32_t>(first + i));
          },
          [&](const store::TaskView& view) {
            ++at.item;
            return write(view);
          }));
    }
    if (at.item >= mapped.item_count) at = {at.step + 1, 0};
    return {};
  };

  while (at.step < run.steps->size() && !full()) {
    const RunSteps::Stretch stretch = run.steps->from(at.step);
    TRY_VOID(each(
        stretch.first, std::min<std::size_t>(kWindow, stretch.count),
        [&](std::size_t i) {
          const Ordinal step = stretch.first + static_cast<Ordinal>(i);
          return pending(run.row(), *run.steps, step, step, -1);
        },
        [&](const store::TaskView& view) -> Status {
          if (view.row.expanded && view.row.item_count > 0) return write_items(view.row);
          at = {at.step + 1, 0};
          return write(view);
        }));
  }
  // Then the tasks that serve others, in the order in which they were made.
  const Ordinal declared = run.steps->declared();
  const Ordinal end = std::max(run.row().next_ordinal, declared);
  const auto steps = static_cast<Ordinal>(run.steps->size());
  while (at.step == steps && !full() && declared + at.item < end) {
    const Ordinal first = declared + at.item;
    TRY(const std::vector<store::TaskView> stored,
        store_.list_tasks(run.row().key, first, kWindow, kSmallResult));
    at.item = stored.size() < kWindow ? end - declared : stored.back().row.key.ordinal + 1 - declared;
    for (const store::TaskView& view : stored) {
      if (view.row.role == model::TaskRole::main || run.steps->find(view.row.step) == nullptr) continue;
      if (full()) {
        at.item = view.row.key.ordinal - declared;
        break;
      }
      TRY_VOID(write(view));
    }
  }
  const bool more = at.step < steps || declared + at.item < end;
  return close_list(out, more ? at.text() : "");
}

Result<store::TaskView> Queries::locate(Run& run, const TaskId& id) {
  TRY(std::optional<store::TaskView> view, store_.get_task({run.row().key, id.ordinal}));
  if (view && run.steps->find(view->row.step) != nullptr) return std::move(*view);
  // Pending. An item's place follows from its step's.
  if (run.steps->find(id.ordinal) != nullptr) {
    return store::TaskView{pending(run.row(), *run.steps, id.ordinal, id.ordinal, -1), std::nullopt};
  }
  for (std::size_t place = 0; place < run.steps->size(); ++place) {
    const Ordinal step = run.steps->from(place).first;
    if (run.steps->find(step)->for_each.is_null()) continue;
    TRY(const std::optional<store::TaskView> mapped, store_.get_task({run.row().key, step}));
    if (!mapped || !mapped->row.expanded || id.ordinal < mapped->row.first_item) continue;
    const std::uint32_t item = id.ordinal - mapped->row.first_item;
    if (item >= mapped->row.item_count) continue;
    return store::TaskView{pending(run.row(), *run.steps, id.ordinal, step, static_cast<std::int32_t>(item)),
                           std::nullopt};
  }
  return fail(ErrorCode::not_found, "there is no task " + id.text());
}

Result<TaskRow> Queries::task_row(const TaskId& id) {
  TRY(Run run, open(id.run));
  TRY(store::TaskView view, locate(run, id));
  return std::move(view.row);
}

Result<std::string> Queries::task(const TaskId& id) {
  TRY(Run run, open(id.run));
  TRY(const store::TaskView view, locate(run, id));
  JsonText out;
  TRY_VOID(write_task_item(run, view, true, out));
  return out.take();
}

}  // namespace baton::api
