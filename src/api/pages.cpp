// What a browser finds at /: a page to sign in with, without scripts. Its style comes from here, too, and the
// policy lets it load nothing else.
#include "api/handlers.hpp"
#include "api/session.hpp"
#include "base/markup.hpp"
#include "net/url.hpp"

namespace baton::api {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
constexpr std::size_t kMaxKey = 512;

constexpr std::string_view kStyle =
    R"(:root { color-scheme: light dark; --ink: #1c2430; --paper: #f4f5f7; --card: #fff; --line: #d5dae1;
  --quiet: #5b6675; --accent: #1f5fbf; --bad: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --paper: #12161c; --card: #1b212a; --line: #323b47; --quiet: #9aa5b4; --accent: #7fb0ff;
    --bad: #ff8a80 }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 24rem; padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem }
h1 { margin: 0 0 .25rem; font-size: 1.5rem }
p { margin: 0 0 1.25rem; color: var(--quiet) }
p.bad { color: var(--bad) }
label { display: block; margin-bottom: .35rem; font-weight: 600 }
input { width: 100%; padding: .6rem .7rem; margin-bottom: 1rem; font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: .4rem }
button { width: 100%; padding: .65rem; font: inherit; font-weight: 600; color: var(--card); background: var(--accent);
  border: 0; border-radius: .4rem; cursor: pointer }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0 0 1.25rem }
dt { color: var(--quiet) } dd { margin: 0; overflow-wrap: anywhere }
ul { margin: 0 0 1.25rem; padding-left: 1.1rem } a { color: var(--accent) }
)";

void respond_page(Call& call, int status, std::string_view title, const std::string& content,
                  net::Headers headers = {}) {
  headers.set("Content-Type", "text/html; charset=utf-8");
  headers.set("Cache-Control", "no-store");
  headers.set("Content-Security-Policy", std::string(kPolicy));
  headers.set("X-Content-Type-Options", "nosniff");
  // Not no-referrer: browsers would leave the origin of their forms out then, which is asked for here.
  headers.set("Referrer-Policy", "same-origin");
  call.respond({status, std::move(headers),
                "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
                    std::string(title) +
                    "</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<main>\n" +
                    content + "</main>\n</body>\n</html>\n"});
}

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
  respond_page(call, status, "Baton: sign in", content, std::move(headers));
}

void respond_inside(Call& call, const Visitor& visitor) {
  const auth::Principal& who = visitor.principal;
  respond_page(
      call, 200, "Baton",
      "<h1>Baton</h1>\n<p>You are signed in.</p>\n<dl><dt>As</dt><dd>" + escape_markup(who.name) +
          "</dd><dt>Role</dt><dd>" + std::string(model::name(who.role)) + "</dd><dt>Namespace</dt><dd>" +
          escape_markup(who.space) +
          "</dd></dl>\n<ul><li><a href=\"/api/v1/runs\">Runs</a></li><li><a "
          "href=\"/api/v1/metrics\">Figures</a></li>"
          "<li><a href=\"/api/v1/openapi.json\">The API</a></li></ul>\n"
          "<form method=\"post\" action=\"/sign-out\">\n<input type=\"hidden\" name=\"csrf_token\" value=\"" +
          escape_markup(visitor.session->csrf) + "\">\n<button>Sign out</button>\n</form>\n");
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

void get_style(const CorePtr&, CallPtr call) {
  call->respond({200,
                 {{"Content-Type", "text/css; charset=utf-8"},
                  {"Cache-Control", "max-age=3600"},
                  {"X-Content-Type-Options", "nosniff"}},
                 std::string(kStyle)});
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
        *call, 403, "Baton",
        "<h1>Baton</h1>\n<p class=\"bad\">This form is too old. <a href=\"/\">Back</a></p>\n");
  }
  core->entrance.sign_out(call->request);
  see_other(*call, {{"Set-Cookie", session_cookie(*core, "")}});
}

}  // namespace baton::api
