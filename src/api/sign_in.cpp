// What a browser finds at /: a page to sign in with, and then one that leads on.
#include "api/admission.hpp"
#include "api/handlers.hpp"
#include "api/page.hpp"
#include "api/session.hpp"
#include "base/markup.hpp"
#include "net/url.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kMaxKey = 512;

void respond_form(Call& call, int status, std::string_view wrong, net::Headers headers = {}) {
  std::string content = "<h1>Baton</h1>\n";
  if (wrong.empty()) {
    content +=
        "<p>Sign in with a key. Whoever runs this server makes one: <code>baton keys create</code>.</p>\n";
  } else {
    content += "<p class=\"bad\" role=\"alert\">" + escape_markup(wrong) + "</p>\n";
  }
  content +=
      "<form method=\"post\" action=\"/sign-in\">\n<label for=\"key\">Key</label>\n"
      "<input id=\"key\" name=\"key\" type=\"password\" autocomplete=\"current-password\" required "
      "autofocus>\n"
      "<button>Sign in</button>\n</form>\n";
  respond_page(call, {.status = status,
                      .title = "Baton: sign in",
                      .content = std::move(content),
                      .headers = std::move(headers)});
}

void respond_inside(Call& call, const Visitor& visitor) {
  const auth::Principal& who = visitor.principal;
  respond_page(
      call,
      {.title = "Baton",
       .content = "<h1>Baton</h1>\n<p>You are signed in.</p>\n<dl><dt>As</dt><dd>" + escape_markup(who.name) +
                  "</dd><dt>Role</dt><dd>" + std::string(model::name(who.role)) +
                  "</dd><dt>Namespace</dt><dd>" + escape_markup(who.space) +
                  "</dd></dl>\n<ul><li><a href=\"/api/v1/runs\">Runs</a></li><li><a "
                  "href=\"/api/v1/metrics\">Figures</a></li>"
                  "<li><a href=\"/api/v1/reference\">The API</a></li></ul>\n"
                  "<form method=\"post\" action=\"/sign-out\">\n<input type=\"hidden\" name=\"csrf_token\" "
                  "value=\"" +
                  escape_markup(visitor.session->csrf) + "\">\n<button>Sign out</button>\n</form>\n"});
}

void see_other(Call& call, net::Headers headers = {}) {
  headers.set("Location", "/");
  headers.set("Cache-Control", "no-store");
  call.respond({303, std::move(headers), ""});
}

// A field of a form; nullopt: it is missing, stands twice, or the body is no form.
std::optional<std::string> field(const net::Request& request, std::string_view name) {
  const auto pairs = net::parse_query(request.body, 16);
  if (!pairs) return std::nullopt;
  std::optional<std::string> found;
  for (const auto& [key, value] : *pairs) {
    if (key != name) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

// The sentence of a refusal, for people.
std::string reason_of(int status) {
  if (status == 429) return "Too many keys that are none came from here. Wait a minute, then try again.";
  return "This is no key of this server, or it is not valid any more.";
}

}  // namespace

void get_page(const CorePtr& core, CallPtr call) {
  const auto visitor = core->entrance.signed_in(call->request, wall_now(*core));
  if (!visitor) return respond_form(*call, 200, "");
  respond_inside(*call, *visitor);
}

void page_sign_in(const CorePtr& core, CallPtr call) {
  const auto key = field(call->request, "key");
  if (!key || key->empty() || key->size() > kMaxKey) return respond_form(*call, 400, "A key is needed.");
  auto entered = core->entrance.sign_in(call->request, *key, wall_now(*core));
  if (!entered) {
    net::Headers more;
    if (const auto retry = entered.error().headers.find("Retry-After"))
      more.set("Retry-After", std::string(*retry));
    return respond_form(*call, entered.error().status, reason_of(entered.error().status), std::move(more));
  }
  see_other(*call, {{"Set-Cookie", session_cookie(*core, entered->opened.text)}});
}

void page_sign_out(const CorePtr& core, CallPtr call) {
  const auto visitor = core->entrance.signed_in(call->request, wall_now(*core));
  if (visitor && field(call->request, "csrf_token") != visitor->session->csrf) {
    return respond_page(
        *call,
        {.status = 403,
         .title = "Baton",
         .content = "<h1>Baton</h1>\n<p class=\"bad\">This form is too old. <a href=\"/\">Back</a></p>\n"});
  }
  core->entrance.sign_out(call->request);
  recheck_admissions(*core->common);
  see_other(*call, {{"Set-Cookie", session_cookie(*core, "")}});
}

}  // namespace baton::api
