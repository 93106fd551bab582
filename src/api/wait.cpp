// GET /api/v1/runs/{id}/wait, and POST /api/v1/runs?wait: answers when the run has ended, or with its present
// state when the time is over.
#include "api/wait.hpp"

#include "api/admission.hpp"
#include "api/edits.hpp"
#include "api/handlers.hpp"
#include "net/loop.hpp"

namespace baton::api {
namespace {

class RunWait final : public Watch {
 public:
  RunWait(CorePtr core, CallPtr call, RunId run, Duration timeout, int status, net::Headers headers)
      : Watch(core->workers),
        core_(std::move(core)),
        call_(std::move(call)),
        run_(run),
        deadline_(net::Loop::now() + timeout),
        status_(status),
        headers_(std::move(headers)) {}

 protected:
  bool look() override {
    if (!turn_away(*core_, *call_)) {
      const auto view = core_->queries.find(run_);
      if (view && !is_terminal(view->row.status) && net::Loop::now() < deadline_ &&
          !call_->responder.disconnected()) {
        return true;
      }
      answer(*call_, view ? core_->queries.run(*view) : Result<Tagged>(fail(view.error())), status_,
             std::move(headers_));
    }
    call_.reset();
    core_->watches.remove(run_.key(), this);
    return false;
  }

 private:
  CorePtr core_;
  CallPtr call_;
  RunId run_;
  net::MonoTime deadline_;
  int status_;
  net::Headers headers_;
};

}  // namespace

void answer_when_ended(const CorePtr& core, CallPtr call, const RunId& run, Duration patience, int status,
                       net::Headers headers) {
  call->waits = true;
  const auto wait =
      std::make_shared<RunWait>(core, std::move(call), run, patience, status, std::move(headers));
  // First registered, then looked: no change falls between.
  core->watches.add(run.key(), wait);
  core->alarms.wake_after(patience, wait);
  wait->wake();
}

void wait_for_run(const CorePtr& core, CallPtr call) {
  if (const auto known = call->only({"timeout"}); !known) return call->fail(known.error());
  const auto id = call->run_id();
  if (!id) return call->fail(id.error());
  const auto seconds = call->number("timeout", 30, 0, kLongestRunWait);
  if (!seconds) return call->fail(seconds.error());
  const Duration timeout = Duration::seconds(static_cast<std::int64_t>(*seconds));
  answer_when_ended(core, std::move(call), *id, timeout);
}

}  // namespace baton::api
