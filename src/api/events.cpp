// GET /api/v1/runs/{id}/events: what happened to a run and what happens, as server-sent events;
// /api/v1/tasks/{id}/events: to one of its tasks. The journal
// is the only source: first what it holds, then what each commit adds. The stream ends when the run has
// ended and all that is recorded of it was sent.
#include <algorithm>
#include <deque>

#include "api/admission.hpp"
#include "api/event_id.hpp"
#include "api/handlers.hpp"
#include "api/paced_stream.hpp"
#include "api/render.hpp"
#include "net/loop.hpp"
#include "net/sse.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kPage = 16;  // journal entries that are read together; one may have thousands of facts
constexpr Duration kKeepAlive = Duration::seconds(15);

class EventStream final : public Watch {
 public:
  // `next`: the first fact to be sent. `only`: of this task.
  EventStream(CorePtr core, CallPtr call, net::StreamWriter writer, RunId run, std::optional<Ordinal> only,
              Position next)
      : Watch(core->workers),
        core_(std::move(core)),
        call_(std::move(call)),
        stream_(std::move(writer)),
        run_(run),
        only_(only),
        next_(next) {}

  PacedStream& stream() { return stream_; }

 protected:
  bool look() override {
    if (pump()) return true;
    core_->watches.remove(run_.key(), this);
    return false;
  }

 private:
  // True: there may be more later.
  bool pump() {
    for (;;) {
      if (!stream_.open() || !may_go_on(*core_, *call_)) return false;
      if (!stream_.has_room()) {
        look_again_after(stream_.patience(), core_->alarms);
        return true;
      }
      if (entries_.empty()) {
        // Asked before the journal is: what it adds in between begins a run again that is over by now.
        const auto over = is_over();
        if (!over || !read()) return false;  // breaks off: the client asks again
        if (entries_.empty()) {
          if (*over) {
            stream_.close();
            return false;
          }
          keep_alive();
          return true;
        }
      }
      if (!write_some()) return false;
    }
  }

  Result<bool> is_over() {
    const auto view = core_->queries.find(run_);
    if (!view) return fail(view.error());
    return model::is_terminal(view->row.status);
  }

  // Facts of the first entries, about one piece of them.
  bool write_some() {
    std::string piece;
    while (!entries_.empty() && piece.size() < PacedStream::kPiece) {
      const store::JournalView& entry = entries_.front();
      if (entry.sequence > next_.sequence) next_ = {entry.sequence, 0};
      if (next_.fact >= entry.facts.facts.size()) {
        next_ = {entry.sequence + 1, 0};
        entries_.pop_front();
        continue;
      }
      const model::Fact& fact = entry.facts.facts[next_.fact];
      if (fact.kind == model::FactKind::task_added && !knows(fact)) read_steps();
      if (!only_ || (model::is_task_fact(fact.kind) && fact.task == *only_)) {
        JsonText data;
        write_fact(run_, fact, steps_.get(), data);
        piece += net::sse_event(event_id(core_->store.shard(), next_), model::name(fact.kind), data.take());
      }
      ++next_.fact;
    }
    if (piece.empty()) return stream_.open();
    last_written_ = net::Loop::now();
    return stream_.write(piece);
  }

  bool knows(const model::Fact& fact) const {
    return steps_ != nullptr && steps_->find(fact.step) != nullptr;
  }

  // False: there is no such run (any more).
  bool read_steps() {
    const auto view = core_->queries.find(run_);
    if (!view) return false;
    steps_ = core_->queries.known_steps_of(view->row);
    return true;
  }

  // The next page of entries, oldest first; none if the journal has no more at the moment. The journal's
  // chain leads from new to old: what is between here and its head is found by going back once, remembering
  // where pages begin.
  bool read() {
    if (steps_ == nullptr && !read_steps()) return false;
    if (!pages_.empty()) {
      auto page = core_->store.run_journal(run_.key(), pages_.back(), kPage);
      pages_.pop_back();
      if (!page) return false;
      take(*page);
      return true;
    }
    std::optional<JournalSequence> before;
    for (;;) {
      auto page = core_->store.run_journal(run_.key(), before, kPage);
      if (!page) return false;
      const bool reached = page->size() < kPage || page->back().sequence <= next_.sequence;
      if (reached) {
        // The chain ends before it comes to what the client has seen: that, and what followed, was taken
        // away.
        if (!page->empty() && page->back().sequence > next_.sequence &&
            page->back().facts.previous >= std::max<JournalSequence>(next_.sequence, 1)) {
          if (!stream_.write(net::sse_event("", "reset", "{}"))) return false;
        }
        take(*page);
        return true;
      }
      pages_.push_back(page->front().sequence + 1);
      before = page->back().sequence;
    }
  }

  void take(std::vector<store::JournalView>& page) {
    for (store::JournalView& entry : page) {
      if (entry.sequence >= next_.sequence) entries_.push_front(std::move(entry));
    }
    // A partly sent entry has nothing more to give: entries do not grow.
    while (!entries_.empty() && entries_.front().sequence == next_.sequence &&
           next_.fact >= entries_.front().facts.facts.size()) {
      next_ = {next_.sequence + 1, 0};
      entries_.pop_front();
    }
    if (entries_.empty() && !pages_.empty()) read();
  }

  void keep_alive() {
    const net::MonoTime now = net::Loop::now();
    if (now - last_written_ >= kKeepAlive) {
      stream_.write(net::sse_comment(""));
      last_written_ = now;
    }
    look_again_after(kKeepAlive, core_->alarms);
  }

  CorePtr core_;
  CallPtr call_;  // counts as under way
  PacedStream stream_;
  RunId run_;
  std::optional<Ordinal> only_;
  std::shared_ptr<const RunSteps> steps_;
  Position next_;
  std::deque<store::JournalView> entries_;  // read and not yet sent, oldest first
  std::vector<JournalSequence> pages_;      // ends (exclusive) of pages still to be read, the next one last
  net::MonoTime last_written_ = net::Loop::now();
};

void begin(const CorePtr& core, CallPtr call, const RunId& id, std::optional<Ordinal> only) {
  if (const auto known = call->only({"after"}); !known) return call->fail(known.error());
  const auto view = core->queries.find(id);
  if (!view) return call->fail(view.error());

  Position next;
  bool reset = false;
  if (const auto seen = last_event_id(call->request)) {
    const auto position = parse_event_id(*seen, core->store.shard());
    if (!position) {
      return call->fail(
          {ErrorCode::invalid_request, "the last event id is not one that this stream gave out", ""});
    }
    next = {position->sequence, position->fact + 1};
    // An id that this journal does not have: it was replaced by an older copy.
    reset = position->sequence > view->row.journal_head;
    if (reset) next = {};
  }

  net::StreamWriter writer = call->stream(
      200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}, PacedStream::kBuffer);
  if (reset) writer.write(net::sse_event("", "reset", "{}"));
  const auto stream = std::make_shared<EventStream>(core, std::move(call), std::move(writer), id, only, next);
  core->watches.add(id.key(), stream);
  stream->stream().on_close([weak = std::weak_ptr<Watch>(stream)] {
    if (const auto held = weak.lock()) held->wake();
  });
  stream->wake();
}

}  // namespace

void run_events(const CorePtr& core, CallPtr call) {
  const auto id = call->run_id();
  if (!id) return call->fail(id.error());
  begin(core, std::move(call), *id, std::nullopt);
}

void task_events(const CorePtr& core, CallPtr call) {
  const auto id = call->task_id();
  if (!id) return call->fail(id.error());
  const auto task = core->queries.task_row(*id);
  if (!task) return call->fail(task.error());
  begin(core, std::move(call), id->run, id->ordinal);
}

}  // namespace baton::api
