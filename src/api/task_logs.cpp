// GET /api/v1/tasks/{id}/logs: what an attempt printed, and with `follow` what it prints. Without `attempt`
// it is the last one; following goes on with the attempts after it until the task has ended.
#include <deque>

#include "api/admission.hpp"
#include "api/handlers.hpp"
#include "api/paced_stream.hpp"
#include "base/text.hpp"
#include "logs/paths.hpp"
#include "logs/reader.hpp"
#include "logs/render.hpp"

namespace baton::api {
namespace {

constexpr Duration kPoll = Duration::millis(100);  // how often a growing log is looked at

struct LogRequest {
  TaskId task;
  std::uint32_t attempt = 0;  // 0 = the last one
  bool follow = false;
  std::optional<std::size_t> tail;
  std::optional<WallTime> since;  // inclusive
  std::optional<WallTime> until;  // exclusive
  bool download = false;
  bool json = false;
  logs::RenderOptions text;

  // Of a line whose pieces came at different times, each counts by itself.
  bool wants(const logs::Frame& frame) const {
    return (!since || frame.time >= *since) && (!until || frame.time < *until);
  }
};

Result<std::optional<WallTime>> read_time(const Call& call, std::string_view name) {
  const auto text = call.query(name);
  if (!text) return std::nullopt;
  const auto at = parse_rfc3339(*text);
  if (at) return *at;
  return fail(ErrorCode::invalid_request,
              "query parameter \"" + std::string(name) + "\" is no instant: " + at.error().message);
}

Result<LogRequest> read_request(const Call& call) {
  TRY_VOID(
      call.only({"attempt", "follow", "tail", "since", "until", "download", "format", "raw", "timestamps"}));
  LogRequest request;
  TRY(request.task, call.task_id());
  TRY(const std::size_t attempt, call.number("attempt", 0, 1, UINT32_MAX));
  request.attempt = static_cast<std::uint32_t>(attempt);
  TRY(request.follow, call.flag("follow"));
  if (call.query("tail")) {
    TRY(request.tail, call.number("tail", 0, 0, 1'000'000));
  }
  TRY(request.since, read_time(call, "since"));
  TRY(request.until, read_time(call, "until"));
  if (request.follow && request.until) {
    return fail(
        ErrorCode::invalid_request,
        "query parameters \"follow\" and \"until\" exclude each other: what is followed has no end yet");
  }
  TRY(request.download, call.flag("download"));
  const std::string_view format = call.query("format").value_or("text");
  if (format != "text" && format != "jsonl") {
    return fail(ErrorCode::invalid_request, "query parameter \"format\" must be text or jsonl");
  }
  request.json = format == "jsonl";
  TRY(request.text.raw, call.flag("raw"));
  TRY(request.text.timestamps, call.flag("timestamps"));
  return request;
}

// Frames in the form that was asked for.
class LogText {
 public:
  explicit LogText(const LogRequest& request) : json_(request.json), renderer_(request.text) {}

  void add(const logs::Frame& frame, std::uint32_t attempt, std::string& out) {
    if (!json_) return renderer_.add(frame, out);
    if (frame.stream == logs::Stream::gap) return line(frame, attempt, {}, out);
    for (std::string_view rest = frame.bytes; !rest.empty();) {
      const std::string_view text = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), text.size() + 1));
      line(frame, attempt, text, out);
    }
  }

 private:
  static void line(const logs::Frame& frame, std::uint32_t attempt, std::string_view text, std::string& out) {
    JsonText json;
    json.begin_object();
    json.key("at").string(to_rfc3339(frame.time));
    json.key("attempt").integer(attempt);
    json.key("stream").string(logs::name(frame.stream));
    if (frame.stream == logs::Stream::gap) {
      json.key("dropped").integer(static_cast<std::int64_t>(frame.dropped));
    } else {
      json.key("text").string(text);
    }
    json.end_object();
    out += json.take() + '\n';
  }

  bool json_;
  logs::Renderer renderer_;
};

class LogStream final : public Watch {
 public:
  LogStream(CorePtr core, CallPtr call, net::StreamWriter writer, LogRequest request)
      : Watch(core->workers),
        core_(std::move(core)),
        call_(std::move(call)),
        stream_(std::move(writer)),
        request_(request),
        text_(request),
        attempt_(request.attempt) {}

  PacedStream& stream() { return stream_; }

 protected:
  bool look() override {
    if (pump()) return true;
    core_->watches.remove(request_.task.run.key(), this);
    return false;
  }

 private:
  bool pump() {
    for (;;) {
      if (!stream_.open() || !may_go_on(*core_, *call_)) return false;
      // The state first, then the log: a log is complete before its attempt's end is committed.
      const auto row = core_->queries.task_row(request_.task);
      if (!row) return false;
      const bool over = is_terminal(row->status);
      if (attempt_ == 0) attempt_ = row->starts;
      if (attempt_ > 0) {
        const Copied copied = copy();
        if (copied == Copied::broken) return false;
        if (copied == Copied::waits) return true;
      }
      const bool newest = row->starts == attempt_;
      const bool attempt_over = !newest || row->status != model::TaskStatus::running;
      const bool done = request_.attempt != 0 ? attempt_over : over && newest;
      if (!request_.follow || done) {
        stream_.close();
        return false;
      }
      if (newest) {
        // A running attempt writes without telling; everything else wakes this watch.
        if (!attempt_over) look_again_after(kPoll, core_->alarms);
        return true;
      }
      ++attempt_;
      reader_.reset();
      request_.tail.reset();
    }
  }

  enum class Copied { all, waits, broken };

  Copied copy() {
    if (!reader_) {
      const std::string path = core_->services.logs_dir + "/" + logs::attempt_path(request_.task, attempt_);
      auto opened = logs::Reader::open(path);
      if (!opened) return opened.error().code == ErrorCode::not_found ? Copied::all : Copied::broken;
      reader_ = std::move(*opened);
      if (request_.tail) {
        auto tail = logs::read_tail(path, *request_.tail);
        if (!tail) return Copied::broken;
        reader_->seek(tail->next);
        tail_ = std::move(tail->lines);
      }
    }
    for (;;) {
      if (!stream_.has_room()) {
        look_again_after(stream_.patience(), core_->alarms);
        return Copied::waits;
      }
      std::string piece;
      while (piece.size() < PacedStream::kPiece) {
        logs::Frame frame;
        if (!tail_.empty()) {
          frame = tail_.front().frame;
          frame.bytes = tail_.front().text;
          if (request_.wants(frame)) text_.add(frame, attempt_, piece);
          tail_.pop_front();
          continue;
        }
        const auto more = reader_->next(frame);
        if (!more) return Copied::broken;
        if (!*more) {
          if (!piece.empty() && !stream_.write(piece)) return Copied::broken;
          return Copied::all;
        }
        if (request_.wants(frame)) text_.add(frame, attempt_, piece);
      }
      if (!stream_.write(piece)) return Copied::broken;
    }
  }

  CorePtr core_;
  CallPtr call_;
  PacedStream stream_;
  LogRequest request_;
  LogText text_;
  std::uint32_t attempt_;
  std::optional<logs::Reader> reader_;
  std::deque<logs::Tail::Line> tail_;
};

}  // namespace

void task_logs(const CorePtr& core, CallPtr call) {
  const auto request = read_request(*call);
  if (!request) return call->fail(request.error());
  const auto row = core->queries.task_row(request->task);
  if (!row) return call->fail(row.error());
  if (request->attempt > row->starts) {
    return call->fail({ErrorCode::not_found,
                       "task " + request->task.text() + " has had " + std::to_string(row->starts) +
                           (row->starts == 1 ? " attempt" : " attempts"),
                       ""});
  }
  net::Headers headers{{"Content-Type", request->json ? "application/jsonl" : "text/plain; charset=utf-8"},
                       {"Cache-Control", "no-store"}};
  if (request->download) {
    headers.set("Content-Disposition",
                "attachment; filename=\"" + request->task.text() + (request->json ? ".jsonl\"" : ".log\""));
  }
  net::StreamWriter writer = call->stream(200, std::move(headers), PacedStream::kBuffer);
  const auto stream = std::make_shared<LogStream>(core, std::move(call), std::move(writer), *request);
  core->watches.add(request->task.run.key(), stream);
  stream->stream().on_close([weak = std::weak_ptr<Watch>(stream)] {
    if (const auto held = weak.lock()) held->wake();
  });
  stream->wake();
}

}  // namespace baton::api
