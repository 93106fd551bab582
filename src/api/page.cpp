#include "api/page.hpp"

#include "api/handlers.hpp"

namespace baton::api {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

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
body.wide { display: block }
.wide main { max-width: 64rem; margin: 0 auto }
.wide h2 { margin: 3rem 0 0; font-size: 1.25rem } .wide h3 { margin: 0 0 .5rem; font-size: 1rem }
.wide h4 { margin: 1rem 0 .25rem; font-size: .875rem }
.wide p { margin: 0 0 .5rem; color: inherit } .wide .quiet { color: var(--quiet); font-size: .875rem }
.wide section { padding: 1.25rem 0; border-bottom: 1px solid var(--line); overflow-x: auto }
.wide section:target { border-left: 3px solid var(--accent); padding-left: 1rem }
.wide h3 b { color: var(--accent); font-family: ui-monospace, monospace }
.wide code { font: .875em/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
.wide summary { cursor: pointer; font-weight: 600 } .wide nav { margin: 1rem 0 }
table { width: 100%; border-collapse: collapse; margin: .25rem 0 .5rem; font-size: .875rem }
th, td { padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top }
th { color: var(--quiet); font-weight: 400 } td td, td th { font-size: .8125rem }
)";

}  // namespace

void respond_page(Call& call, Page page) {
  page.headers.set("Content-Type", "text/html; charset=utf-8");
  page.headers.set("Cache-Control", "no-store");
  page.headers.set("Content-Security-Policy", std::string(kPolicy));
  page.headers.set("X-Content-Type-Options", "nosniff");
  // Not no-referrer: browsers would leave the origin of their forms out then, which is asked for here.
  page.headers.set("Referrer-Policy", "same-origin");
  call.respond({page.status, std::move(page.headers),
                "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
                    std::string(page.title) +
                    "</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body" +
                    (page.wide ? " class=\"wide\"" : "") + ">\n<main>\n" + page.content +
                    "</main>\n</body>\n</html>\n"});
}

void get_style(const CorePtr&, CallPtr call) {
  call->respond({200,
                 {{"Content-Type", "text/css; charset=utf-8"},
                  {"Cache-Control", "max-age=3600"},
                  {"X-Content-Type-Options", "nosniff"}},
                 std::string(kStyle)});
}

}  // namespace baton::api
