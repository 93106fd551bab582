#include "api/event_feed.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include "api/admission.hpp"
#include "api/event_id.hpp"
#include "api/paced_stream.hpp"
#include "api/render.hpp"
#include "base/text.hpp"
#include "net/loop.hpp"
#include "net/sse.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kPage = 16;        // commits that are read together
constexpr std::size_t kPagesAtOnce = 8;  // until others have their turn
constexpr std::size_t kRunsKnown = 500;
constexpr Duration kKeepAlive = Duration::seconds(15);

struct Filter {
  std::vector<std::string> workflows;  // empty = all
  std::vector<std::string> types;      // "run.ended", or "run" for all that begin so; empty = all

  bool takes(std::string_view type) const {
    return types.empty() || std::ranges::any_of(types, [&](const std::string& wanted) {
             return type == wanted ||
                    (type.starts_with(wanted) && type.substr(wanted.size()).starts_with('.'));
           });
  }
  bool takes_workflow(const std::string& workflow) const {
    return workflows.empty() || std::ranges::find(workflows, workflow) != workflows.end();
  }
};

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (end > 0) words.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return words;
}

// Every type, and what they begin with.
std::vector<std::string_view> known_types() {
  std::vector<std::string_view> types;
  for (int i = 1; i <= static_cast<int>(model::kLastFactKind); ++i) {
    const std::string_view type = model::name(static_cast<model::FactKind>(i));
    for (const std::string_view name : {type.substr(0, type.find('.')), type}) {
      if (std::ranges::find(types, name) == types.end()) types.push_back(name);
    }
  }
  return types;
}

Result<Filter> read_filter(const Call& call) {
  TRY_VOID(call.only({"workflow", "type", "after"}));
  Filter filter{split(call.query("workflow").value_or("")), split(call.query("type").value_or(""))};
  const std::vector<std::string_view> known = known_types();
  for (const std::string& type : filter.types) {
    if (std::ranges::find(known, std::string_view(type)) != known.end()) continue;
    const std::string_view near = nearest(type, known);
    return fail(ErrorCode::invalid_request,
                "there are no events of type \"" + printable(type) + "\"" +
                    (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
  }
  return filter;
}

// The last commit of the journal, by asking whether there is one behind a place: they have no gaps but for
// the oldest ones, which are taken away first.
Result<JournalSequence> head_of(store::Reader& store) {
  const auto is_behind = [&](JournalSequence place) -> Result<bool> {
    TRY(const auto entries, store.journal_after(place, 1));
    return !entries.empty();
  };
  JournalSequence low = 0;  // the head is not before it
  JournalSequence step = 1;
  for (;; step *= 2) {
    TRY(const bool more, is_behind(low + step));
    if (!more) break;
    low += step;
  }
  JournalSequence high = low + step;
  while (low < high) {
    const JournalSequence middle = low + (high - low) / 2;
    TRY(const bool more, is_behind(middle));
    if (more) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

class Feed final : public Watch {
 public:
  // `next`: the first fact to be sent. `resumed`: its commit, and those behind it, are promised to be there.
  Feed(CorePtr core, CallPtr call, net::StreamWriter writer, Filter filter, Position next, bool resumed)
      : Watch(core->workers),
        core_(std::move(core)),
        call_(std::move(call)),
        stream_(std::move(writer)),
        filter_(std::move(filter)),
        next_(next),
        resumed_(resumed) {}

  PacedStream& stream() { return stream_; }

 protected:
  bool look() override {
    if (pump()) return true;
    core_->watches.remove(kAnyRun, this);
    return false;
  }

 private:
  using Entries = std::vector<std::pair<JournalSequence, std::vector<model::RunFacts>>>;

  struct KnownRun {
    RunId id;
    std::string workflow;
    std::shared_ptr<const RunSteps> steps;
  };

  // True: there may be more later.
  bool pump() {
    for (std::size_t pages = 0;; ++pages) {
      if (!stream_.open() || !may_go_on(*core_, *call_)) return false;
      if (!stream_.has_room()) {
        look_again_after(stream_.patience(), core_->alarms);
        return true;
      }
      if (pages == kPagesAtOnce) {
        wake();
        return true;
      }
      // A commit that was sent in part is read again.
      const auto entries = core_->store.journal_after(next_.sequence - 1, kPage);
      if (!entries) return false;  // breaks off: the client asks again
      if (entries->empty()) {
        keep_alive();
        return true;
      }
      if (resumed_ && entries->front().first != next_.sequence && !begin_anew()) return false;
      resumed_ = false;
      if (!send(*entries)) return false;
    }
  }

  // What the client saw last is not in the journal any more: it has missed something.
  bool begin_anew() { return stream_.write(net::sse_event("", "reset", "{}")); }

  bool send(const Entries& entries) {
    std::string piece;
    for (const auto& [sequence, runs] : entries) {
      if (sequence > next_.sequence) next_ = {sequence, 0};
      std::size_t number = 0;
      for (const model::RunFacts& run : runs) {
        for (const model::Fact& fact : run.facts) {
          if (number++ < next_.fact) continue;
          next_.fact = number;
          if (filter_.takes(model::name(fact.kind))) write(run, fact, {sequence, number - 1}, piece);
          if (piece.size() < PacedStream::kPiece) continue;
          if (!flush(piece)) return false;
          if (!stream_.has_room()) return true;
        }
      }
      next_ = {sequence + 1, 0};
    }
    return flush(piece);
  }

  bool flush(std::string& piece) {
    if (piece.empty()) return true;
    last_written_ = net::Loop::now();
    return stream_.write(std::exchange(piece, {}));
  }

  void write(const model::RunFacts& facts, const model::Fact& fact, Position at, std::string& piece) {
    const KnownRun* run = find(facts.run, fact);
    if (run == nullptr || !filter_.takes_workflow(run->workflow)) return;
    JsonText data;
    data.begin_object();
    data.key("run").string(run->id.text());
    data.key("workflow").string(run->workflow);
    data.key("actor").string(facts.actor);
    data.key("fact");
    JsonText text;
    write_fact(run->id, fact, run->steps.get(), text);
    data.raw(text.take());
    data.end_object();
    piece += net::sse_event(event_id(core_->store.shard(), at), model::name(fact.kind), data.take());
  }

  // Null: it is gone.
  const KnownRun* find(RunKey key, const model::Fact& fact) {
    auto found = runs_.find(key);
    const bool adds = fact.kind == model::FactKind::task_added;
    if (found != runs_.end() &&
        (!adds || found->second.steps == nullptr || found->second.steps->find(fact.step) != nullptr))
      return &found->second;
    if (runs_.size() >= kRunsKnown) runs_.clear();
    store::RunFilter filter;
    const auto page = core_->store.list_runs(filter, RunKey{key.value + 1}, 1);
    if (!page || page->rows.empty() || page->rows.front().key != key) return nullptr;
    const model::RunRow& row = page->rows.front();
    return &(runs_[key] = {row.id, row.workflow, core_->queries.known_steps_of(row)});
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
  const Filter filter_;
  Position next_;
  bool resumed_;
  std::map<RunKey, KnownRun> runs_;
  net::MonoTime last_written_ = net::Loop::now();
};

}  // namespace

void event_feed(const CorePtr& core, CallPtr call) {
  auto filter = read_filter(*call);
  if (!filter) return call->fail(filter.error());
  const auto head = head_of(core->store);
  if (!head) return call->fail(head.error());
  Position next{*head + 1, 0};
  bool reset = false;
  const auto seen = last_event_id(call->request);
  if (seen) {
    const auto position = parse_event_id(*seen, core->store.shard());
    if (!position) {
      return call->fail(
          {ErrorCode::invalid_request, "the last event id is not one that this stream gave out", ""});
    }
    reset = position->sequence > *head;  // the data was replaced by an older copy
    if (!reset) next = {position->sequence, position->fact + 1};
  }
  net::StreamWriter writer = call->stream(
      200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}, PacedStream::kBuffer);
  if (reset) writer.write(net::sse_event("", "reset", "{}"));
  const auto feed = std::make_shared<Feed>(core, std::move(call), std::move(writer), std::move(*filter), next,
                                           seen.has_value() && !reset);
  core->watches.add(kAnyRun, feed);
  feed->stream().on_close([weak = std::weak_ptr<Watch>(feed)] {
    if (const auto held = weak.lock()) held->wake();
  });
  feed->wake();
}

}  // namespace baton::api
