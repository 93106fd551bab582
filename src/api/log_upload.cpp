// POST /api/v1/tasks/{id}/logs: a worker sends what its attempt prints.
#include <algorithm>

#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/request_body.hpp"
#include "api/token.hpp"
#include "base/text.hpp"
#include "logs/paths.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostPieces = 10'000;
constexpr std::int64_t kLongest = std::int64_t{1} << 50;  // bytes that an attempt prints

struct Upload {
  TaskId task;
  Token token;
  std::uint64_t offset = 0;
  std::vector<LogPiece> pieces;
};

Result<LogPiece> read_piece(const json::value& entry) {
  const auto wrong = [] {
    return fail(ErrorCode::invalid_request,
                "\"entries\" must be a list of {\"stream\": \"stdout\" or \"stderr\", \"text\": …}",
                "/entries");
  };
  if (!entry.is_object() || entry.get_object().size() != 2) return wrong();
  const json::value* stream = entry.get_object().if_contains("stream");
  const json::value* text = entry.get_object().if_contains("text");
  if (stream == nullptr || !stream->is_string() || text == nullptr || !text->is_string()) return wrong();
  LogPiece piece;
  if (stream->get_string() == logs::name(logs::Stream::err)) {
    piece.stream = logs::Stream::err;
  } else if (stream->get_string() != logs::name(logs::Stream::out)) {
    return wrong();
  }
  piece.text = text->get_string();
  return piece;
}

Result<Upload> read_upload(const Call& call) {
  TRY_VOID(call.only({}));
  Upload upload;
  TRY(upload.task, call.task_id());
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"token", "offset", "entries"}));
  TRY(upload.token, read_token(body));
  TRY(const auto offset, body.integer("offset", 0, kLongest));
  upload.offset = static_cast<std::uint64_t>(offset.value_or(0));
  const json::value* entries = body.find("entries");
  if (entries == nullptr || !entries->is_array() || entries->get_array().size() > kMostPieces) {
    return fail(ErrorCode::invalid_request,
                "\"entries\" must be a list of at most " + std::to_string(kMostPieces) + " pieces",
                "/entries");
  }
  for (const json::value& entry : entries->get_array()) {
    TRY(LogPiece piece, read_piece(entry));
    upload.pieces.push_back(std::move(piece));
  }
  return upload;
}

// Only who holds the task may write: every other attempt has a log of its own.
Result<std::uint64_t> append(Core& core, const Upload& upload) {
  TRY(const model::TaskRow row, core.queries.task_row(upload.task));
  const auto attempt = std::ranges::find(row.history, upload.token, &model::AttemptRecord::token);
  if (row.token != upload.token || attempt == row.history.end() ||
      attempt->end != model::AttemptEnd::running) {
    return fail(ErrorCode::stale_token, "token " + upload.token.text() + " does not hold task " +
                                            upload.task.text() + " (any more); its output is not kept");
  }
  return core.attempt_logs.append(
      core.services.logs_dir + "/" + logs::attempt_path(upload.task, attempt->number), upload.token,
      upload.offset, upload.pieces, redactor_of(core), wall_now(core));
}

}  // namespace

void append_log(const CorePtr& core, CallPtr call) {
  const auto upload = read_upload(*call);
  if (!upload) return call->fail(upload.error());
  const auto size = append(*core, *upload);
  if (!size) return call->fail(size.error());
  JsonText out;
  out.begin_object();
  out.key("offset").integer(static_cast<std::int64_t>(*size));
  out.end_object();
  call->json(200, out.take());
}

}  // namespace baton::api
