// Who asks, and signing in: a session for pages, which have no good place to keep a key in. The key goes over
// once, in a body; after that there is a cookie that no script can read and no other site can have sent.
#include "api/session.hpp"

#include "api/admission.hpp"
#include "api/handlers.hpp"
#include "api/request_body.hpp"
#include "auth/sessions.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kMaxKey = 512;

void write_who(const Call& call, JsonText& out) {
  out.begin_object();
  out.key("name").string(call.principal.name);
  out.key("role").string(model::name(call.principal.role));
  out.key("namespace").string(call.principal.space);
  out.key("from").string(call.actor.from);
  out.key("session");
  if (call.session) {
    out.begin_object();
    out.key("expires_at").instant(call.session->ends);
    out.key("csrf_token").string(call.session->csrf);
    out.end_object();
  } else {
    out.null();
  }
  out.end_object();
}

}  // namespace

std::string session_cookie(const Core& core, std::string_view text) {
  std::string cookie = std::string(kSessionCookie) + '=' + std::string(text) +
                       "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" +
                       std::to_string(text.empty() ? 0 : auth::kSessionLasts.us / 1'000'000);
  if (core.entrance.secure()) cookie += "; Secure";
  return cookie;
}

void get_session(const CorePtr&, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  JsonText out;
  write_who(*call, out);
  call->json(200, out.take());
}

void open_session(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const auto body = RequestBody::parse(call->request);
  if (!body) return call->fail(body.error());
  if (const auto known = body->only({"key"}); !known) return call->fail(known.error());
  const auto key = body->text("key", kMaxKey);
  if (!key) return call->fail(key.error());
  if (key->empty()) return call->fail({ErrorCode::invalid_request, "\"key\" is missing", "/key"});
  auto entered = core->entrance.sign_in(call->request, *key, wall_now(*core));
  if (!entered) return call->respond(std::move(entered).error());
  call->principal = entered->visitor.principal;
  call->actor = {call->principal.name, entered->visitor.from};
  call->session = entered->opened.session;
  JsonText out;
  write_who(*call, out);
  call->json(201, out.take(), {{"Set-Cookie", session_cookie(*core, entered->opened.text)}});
}

void close_session(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  if (!call->session) {
    return call->fail({ErrorCode::conflict, "there is no session to end: this request came with a key", ""});
  }
  core->entrance.sign_out(call->request);
  recheck_admissions(*core->common);
  JsonText out;
  call->session.reset();
  write_who(*call, out);
  call->json(200, out.take(), {{"Set-Cookie", session_cookie(*core, "")}});
}

}  // namespace baton::api
