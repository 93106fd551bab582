#include "cli/watcher.hpp"

#include <unistd.h>

#include <csignal>

#include "cli/view/plain.hpp"
#include "cli/view/tree.hpp"
#include "cli/words.hpp"
#include "net/loop.hpp"

namespace baton::cli {
namespace {

constexpr Duration kFrame = Duration::millis(100);  // at most ten pictures a second
constexpr Duration kCheck = Duration::millis(500);  // without a live view

}  // namespace

Watcher::Watcher(Session& session, Signals& signals, Console& console, std::string run, RunModel model,
                 WatchOptions options)
    : session_(session),
      signals_(signals),
      console_(console),
      run_(std::move(run)),
      model_(std::move(model)),
      block_(console),
      live_(console.can_redraw() && !console.quiet()),
      options_(options) {}

Status Watcher::watch() {
  follower_.emplace(session_, run_, last_event_);
  const net::MonoTime begin = net::Loop::now();
  net::MonoTime drawn = begin - kFrame;
  for (bool told_all = false; !told_all;) {
    const net::MonoTime now = net::Loop::now();
    if (live_ && now - drawn >= kFrame) {
      draw();
      drawn = now;
    }
    const bool over = follower_->over();
    // While there are events, pictures come at their own pace, not at the events'.
    signals_.wait(over ? Duration{} : live_ ? kFrame - (now - drawn) : kCheck, follower_->fd());
    take_signals();
    if (left_by_) {
      block_.clear();
      return fail(ErrorCode::interrupted, "left; the run goes on: baton watch " + run_);
    }
    take_events();
    // The stream of a run that was recovered goes on behind its earlier end: only one that was closed in order
    // after an end has told all. It was over before its events were taken, so that none is left behind.
    told_all = over && model_.ended() && follower_->end();
    if (options_.patience && !told_all && net::Loop::now() - begin >= *options_.patience) {
      block_.clear();
      return fail(ErrorCode::timed_out, "the run has not ended yet; it goes on: baton watch " + run_);
    }
    if (session_.owner() != nullptr) {
      if (const auto fatal = session_.owner()->fatal()) {
        block_.clear();
        return fail(*fatal);
      }
    }
    if (over && !told_all) {
      TRY_VOID(reconnect());
    }
  }
  follower_.reset();
  block_.clear();
  return {};
}

void Watcher::take_events() {
  std::string lines;
  for (const client::Event& event : follower_->take()) {
    if (event.type == "reset") continue;
    last_event_ = event.id;
    model_.apply(event.type, event.data);
    if (!live_ && !console_.quiet()) lines += event_line(model_, event.type, event.data);
  }
  if (!lines.empty()) console_.err(lines);
}

Status Watcher::reconnect() {
  const Status end = follower_->end();
  // The API's own answers; a connection that ended or broke is not one.
  if (!end && end.error().code != ErrorCode::unavailable && end.error().code != ErrorCode::io &&
      end.error().code != ErrorCode::timed_out) {
    block_.clear();
    return end;
  }
  follower_.reset();
  block_.clear();
  const auto opened = session_.open(options_.purpose, [&] {
    take_signals();
    return left_by_.has_value();
  });
  if (!opened) return opened;
  if (session_.owner() != nullptr)
    say("the process that executed this run has gone; this one goes on with it");
  follower_.emplace(session_, run_, last_event_);
  return {};
}

void Watcher::take_signals() {
  while (const auto signal = signals_.take()) {
    if (options_.on_signal == OnSignal::leave) {
      left_by_ = signal;
      return;
    }
    ++signals_taken_;
    if (signals_taken_ >= 3) {
      block_.clear();
      console_.err("left; the run stays resumable: baton run --resume " + run_ + '\n');
      ::_exit(exit_code_of_signal(*signal));
    }
    const bool terminate = signals_taken_ == 2;
    say(terminate ? "terminating: what runs is killed, finally runs (once more: leave it)"
                  : "cancelling: SIGTERM now, SIGKILL after 10 s, then finally (once more: kill now)");
    client::Client client = session_.new_client();
    client.set_timeout(Duration::seconds(5));
    const auto cancelled =
        client.cancel(run_, terminate, *signal == SIGINT ? "Ctrl-C" : "the process was asked to end");
    // `conflict`: it has ended meanwhile.
    if (!cancelled && cancelled.error().code != ErrorCode::conflict)
      say("not cancelled: " + cancelled.error().message);
  }
}

void Watcher::draw() {
  const Console::Size size = console_.size();
  TreeOptions options;
  options.columns = static_cast<std::size_t>(size.columns > 1 ? size.columns - 1 : 1);
  options.rows = static_cast<std::size_t>(size.rows > 2 ? size.rows - 1 : 1);
  options.run_id = run_;
  options.style = console_.err_style();
  block_.draw(tree_lines(model_, wall_now(), options));
}

void Watcher::say(const std::string& line) {
  block_.clear();
  console_.note(line);
}

}  // namespace baton::cli
