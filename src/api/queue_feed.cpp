// GET /api/v1/queues/{name}/events: how a queue stands, as server-sent events: at once, and after each
// change. A queue has no journal; whoever connects again gets how it stands then.
#include <mutex>

#include "api/admission.hpp"
#include "api/event_feed.hpp"
#include "api/handlers.hpp"
#include "api/paced_stream.hpp"
#include "api/queues.hpp"
#include "net/sse.hpp"

namespace baton::api {
namespace {

constexpr Duration kPause = Duration::millis(250);  // between two looks
constexpr Duration kLook = Duration::seconds(1);    // what no run tells of: pauses, what is set
constexpr Duration kKeepAlive = Duration::seconds(15);

class QueueFeed final : public Watch {
 public:
  QueueFeed(CorePtr core, CallPtr call, net::StreamWriter writer, std::string name, std::string shown)
      : Watch(core->workers),
        core_(std::move(core)),
        call_(std::move(call)),
        stream_(std::move(writer)),
        name_(std::move(name)),
        shown_(std::move(shown)) {
    write();
  }

  PacedStream& stream() { return stream_; }

 protected:
  bool look() override {
    if (pump()) return true;
    core_->watches.remove(kAnyRun, this);
    return false;
  }

 private:
  // True: there may be more later.
  bool pump() {
    if (!stream_.open() || !may_go_on(*core_, *call_)) return false;
    const std::optional<Result<model::Survey>> survey = take();
    if (survey) {
      if (!*survey) return false;  // breaks off: the client asks again
      Result<std::string> now = shown_queue(*core_, **survey, name_);
      if (!now) return false;
      if (*now != shown_) {
        shown_ = std::move(*now);
        if (!write()) return false;
      }
    }
    const net::MonoTime now = net::Loop::now();
    if (now - last_written_ >= kKeepAlive) {
      if (!stream_.write(net::sse_comment(""))) return false;
      last_written_ = now;
    }
    if (!stream_.has_room()) {
      look_again_after(stream_.patience(), core_->alarms);
    } else if (asking()) {
      changed_ = true;  // perhaps after what the answer, which wakes, is going to say
    } else if (survey && !std::exchange(changed_, false)) {
      look_again_after(kLook, core_->alarms);
    } else if (now - last_asked_ < kPause) {
      look_again_after(kPause - (now - last_asked_), core_->alarms);
    } else {
      ask(now);
    }
    return true;
  }

  void ask(net::MonoTime now) {
    last_asked_ = now;
    {
      const std::lock_guard lock(mutex_);
      asking_ = true;
    }
    core_->runs.send(model::AskSurvey{}, call_->actor,
                     [self = weak_from_this(), this](model::ReplyBody reply) {
                       const auto held = self.lock();
                       if (!held) return;
                       {
                         const std::lock_guard lock(mutex_);
                         asking_ = false;
                         if (const auto* error = std::get_if<Error>(&reply)) {
                           answer_ = fail(*error);
                         } else {
                           answer_ = std::get<model::Survey>(std::move(reply));
                         }
                       }
                       held->wake();
                     });
  }

  bool asking() {
    const std::lock_guard lock(mutex_);
    return asking_;
  }
  std::optional<Result<model::Survey>> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answer_, std::nullopt);
  }

  bool write() {
    last_written_ = net::Loop::now();
    return stream_.write(net::sse_event("", "queue", shown_));
  }

  CorePtr core_;
  CallPtr call_;  // counts as under way
  PacedStream stream_;
  const std::string name_;
  std::string shown_;     // what the client has
  bool changed_ = false;  // something, while the dispatcher was asked
  net::MonoTime last_asked_ = net::Loop::now();
  net::MonoTime last_written_ = net::Loop::now();

  std::mutex mutex_;  // guards what follows
  bool asking_ = false;
  std::optional<Result<model::Survey>> answer_;
};

void begin(const CorePtr& core, const CallPtr& call, const model::Survey& survey, const std::string& name) {
  auto shown = known_queue(*core, survey, name);
  if (!shown) return call->fail(shown.error());
  net::StreamWriter writer = call->stream(
      200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}, PacedStream::kBuffer);
  const auto feed = std::make_shared<QueueFeed>(core, call, std::move(writer), name, std::move(*shown));
  core->watches.add(kAnyRun, feed);
  feed->stream().on_close([weak = std::weak_ptr<Watch>(feed)] {
    if (const auto held = weak.lock()) held->wake();
  });
  feed->wake();
}

}  // namespace

void queue_events(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  core->runs.send(model::AskSurvey{}, call->actor, [core, call](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([core, call, survey = std::get<model::Survey>(std::move(reply))] {
      begin(core, call, survey, call->captures.at(0));
    });
  });
}

}  // namespace baton::api
