#include "api/edits.hpp"

#include "api/problem.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kMaxTag = 64;

std::string quoted(const std::string& tag) {
  return '"' + tag + '"';
}

}  // namespace

Result<std::string> read_if_match(const net::Request& request) {
  const auto field = request.headers.find("If-Match");
  if (!field) return std::string();
  std::string_view text = *field;
  if (text == "*") return std::string(text);
  const bool whole =
      text.size() > 2 && text.size() <= kMaxTag + 2 && text.front() == '"' && text.back() == '"';
  if (whole) text = text.substr(1, text.size() - 2);
  if (!whole || text.find('"') != text.npos) {
    return fail(
        ErrorCode::invalid_request,
        "If-Match must be one ETag as an answer gave it, such as \"3f2a…\", or * for whatever is set");
  }
  return std::string(text);
}

void answer(Call& call, Result<Tagged> shown, int status, net::Headers more) {
  if (!shown) return call.fail(shown.error());
  more.set("ETag", quoted(shown->tag));
  call.json(status, std::move(shown->body), std::move(more));
}

void fail_edit(Call& call, const Error& error, const std::string& expected, Result<Tagged> now) {
  const std::string none = model::tag_of(nullptr);
  const std::string tag = now ? now->tag : now.error().code == ErrorCode::not_found ? none : "";
  const bool as_expected = expected.empty() || (expected == "*" ? tag != none : expected == tag);
  if (as_expected || error.code != ErrorCode::conflict) return call.fail(error);
  const std::string current = now ? "\"current\":" + now->body : std::string();
  net::Response response = problem(error, 412, current);
  if (now) response.headers.set("ETag", quoted(now->tag));
  call.respond(std::move(response));
}

}  // namespace baton::api
