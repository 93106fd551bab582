// The state of a run at an earlier time, from its journal.
#include "api/queries.hpp"
#include "model/history.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kPage = 64;  // journal entries that are read together

struct Folded {
  model::RunHistory run;
  JournalSequence sequence = 0;  // the last entry that counts; 0 = none
  bool whole = false;            // the journal begins with the run's first fact
};

// The chain leads from new to old, and facts are folded from old to new: one walk back remembers where pages
// begin, so that one page at a time is in memory.
Result<Folded> fold_until(store::Reader& store, RunKey run, WallTime at) {
  std::vector<std::optional<JournalSequence>> pages{std::nullopt};  // ends, exclusive; the oldest last
  for (;;) {
    TRY(const std::vector<store::JournalView> page, store.run_journal(run, pages.back(), kPage));
    if (page.size() < kPage) break;
    pages.emplace_back(page.back().sequence);
  }
  Folded folded;
  for (; !pages.empty(); pages.pop_back()) {
    TRY(const std::vector<store::JournalView> page, store.run_journal(run, pages.back(), kPage));
    for (auto entry = page.rbegin(); entry != page.rend(); ++entry) {
      for (const model::Fact& fact : entry->facts.facts) {
        if (folded.sequence == 0 && !folded.whole) folded.whole = fact.kind == model::FactKind::run_submitted;
        if (fact.at > at) return folded;
        apply(folded.run, fact);
        folded.sequence = entry->sequence;
      }
    }
  }
  return folded;
}

void write_task(const RunId& run, Ordinal ordinal, const model::TaskHistory& task, const RunSteps& steps,
                JsonText& out) {
  out.begin_object();
  out.key("id").string(TaskId{run, ordinal}.text());
  out.key("step").string(steps.name(task.step));
  out.key("step_index").integer(task.step);
  out.key("index");
  if (task.index >= 0) {
    out.integer(task.index);
  } else {
    out.null();
  }
  out.key("items");
  if (task.expanded) {
    out.integer(task.item_count);
  } else {
    out.null();
  }
  out.key("status").string(model::name(task.status));
  out.key("skip_reason").string_or_null(task.skip_reason);
  out.key("generation").integer(task.generation);
  out.key("attempts").integer(task.attempts);
  out.key("worker").string_or_null(task.attempt_running ? task.worker : "");
  out.key("held").boolean(task.held);
  out.key("error");
  if (task.error_type.empty()) {
    out.null();
  } else {
    out.begin_object();
    out.key("type").string(task.error_type);
    out.key("message").string(task.error_message);
    out.end_object();
  }
  out.key("queued_at").instant(task.queued_at);
  out.key("started_at").instant(task.started_at);
  out.key("ended_at").instant(task.ended_at);
  out.end_object();
}

}  // namespace

Result<std::string> Queries::state_at(const RunId& id, WallTime at, Ordinal from, std::size_t limit) {
  // Instants are shown in milliseconds: what is shown with this one has happened.
  at.us += 999 - (at.us % 1000 + 1000) % 1000;
  TRY(const store::RunView view, find(id));
  TRY(const std::shared_ptr<const RunSteps> steps, steps_of(view.row));
  if (at < view.row.created_at) {
    return fail(ErrorCode::not_found,
                "run " + id.text() + " was made later, at " + to_rfc3339(view.row.created_at));
  }
  TRY(Folded folded, fold_until(store_, view.row.key, at));
  if (!folded.whole)
    return fail(ErrorCode::not_found, "the beginning of the history of run " + id.text() + " is gone");
  model::RunHistory& run = folded.run;
  // Steps that nothing had happened to yet.
  for (Ordinal step = 0; step < steps->declared(); ++step) {
    const auto [entry, added] = run.tasks.try_emplace(step);
    if (added) entry->second.step = step;
  }
  JsonText out;
  out.begin_object();
  out.key("id").string(id.text());
  out.key("at").instant(at);
  out.key("sequence").integer(folded.sequence);
  out.key("workflow").string(run.workflow);
  out.key("version").integer(run.version);
  out.key("status").string(model::name(run.status));
  out.key("cancel_requested").boolean(run.cancel_requested);
  out.key("created_at").instant(run.created_at);
  out.key("started_at").instant(run.started_at);
  out.key("ended_at").instant(run.ended_at);
  out.key("tasks").begin_array();
  auto next = run.tasks.lower_bound(from);
  for (std::size_t written = 0; written < limit && next != run.tasks.end(); ++written, ++next) {
    write_task(id, next->first, next->second, *steps, out);
  }
  out.end_array();
  out.key("next").string_or_null(next == run.tasks.end() ? "" : std::to_string(next->first));
  out.end_object();
  return out.take();
}

}  // namespace baton::api
