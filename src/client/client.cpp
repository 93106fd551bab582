#include "client/client.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <iterator>

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "base/trace_context.hpp"
#include "net/sse.hpp"

namespace baton::client {
namespace {

namespace json = boost::json;

constexpr Duration kSilence = Duration::seconds(60);  // streams say something every 15 s
constexpr Duration kConnect = Duration::seconds(10);
constexpr Duration kBackup = Duration::seconds(24 * 3600);
constexpr std::string_view kRuns = "/api/v1/runs";
constexpr std::string_view kApprovals = "/api/v1/approvals";
constexpr std::string_view kQueues = "/api/v1/queues";
constexpr std::string_view kRoutes = "/api/v1/routes";
constexpr std::string_view kCache = "/api/v1/cache";
constexpr std::string_view kLimits = "/api/v1/limits";
constexpr std::string_view kBreakers = "/api/v1/breakers";
constexpr std::string_view kDeadLetters = "/api/v1/dead-letters";
constexpr std::string_view kWorkflows = "/api/v1/workflows";
constexpr std::string_view kTasks = "/api/v1/tasks";
constexpr std::string_view kRoot = "/api/v1/";
constexpr std::string_view kResources = "/api/v1/resources";

std::string resource(std::string_view collection, std::string_view id, std::string_view more = {}) {
  return std::string(collection) + '/' + net::percent_encode(id) + std::string(more);
}

// Of a name that may have slashes: they stay as they are.
std::string named(std::string_view collection, std::string_view name) {
  std::string target(collection);
  for (;;) {
    const std::size_t slash = name.find('/');
    target += '/' + net::percent_encode(name.substr(0, slash));
    if (slash == std::string_view::npos) return target;
    name.remove_prefix(slash + 1);
  }
}

std::string with_query(std::string target, const net::QueryPairs& pairs) {
  if (!pairs.empty()) target += '?' + net::build_query(pairs);
  return target;
}

void add(net::QueryPairs& pairs, std::string name, std::string_view value) {
  if (!value.empty()) pairs.emplace_back(std::move(name), value);
}

Result<json::object> parse_object(std::string_view text) {
  json::parse_options options;
  options.max_depth = kReadJsonDepth;
  boost::system::error_code error;
  json::value parsed = parse_json(text, error, {}, options);
  if (error || !parsed.is_object()) {
    return fail(ErrorCode::io, "the answer of the API is not a JSON object");
  }
  return std::move(parsed.get_object());
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// A problem document as the error that it was made from.
Error error_of(const net::Response& response) {
  if (auto problem = parse_object(response.body)) {
    const auto code = error_code_from_name(text_of(*problem, "code"));
    std::string detail = text_of(*problem, "detail");
    if (code && !detail.empty()) return {*code, std::move(detail), text_of(*problem, "pointer")};
    if (!detail.empty()) return {ErrorCode::invalid_request, std::move(detail), ""};
  }
  return {ErrorCode::io, "the API answered with status " + std::to_string(response.status), ""};
}

bool is_success(const net::Response& response) {
  return response.status >= 200 && response.status < 300;
}

}  // namespace

Client::Client(net::Endpoint endpoint, const net::Cancellation* cancel)
    : http_(std::move(endpoint)), cancel_(cancel) {}

Client::Client(Server server, const net::Cancellation* cancel)
    : http_(std::move(server.endpoint), {.connect_timeout = kConnect, .tls = std::move(server.tls)}),
      key_(std::move(server.key)),
      space_(std::move(server.space)),
      cancel_(cancel) {}

void Client::sign(net::ClientRequest& request) const {
  request.headers.set("User-Agent", "baton-cli");
  if (!key_.empty()) request.headers.set("Authorization", "Bearer " + key_);
  if (!space_.empty()) request.headers.set("X-Baton-Namespace", space_);
}

Result<net::Response> Client::send(net::ClientRequest request, Duration timeout) {
  sign(request);
  if (request.method == net::Method::post && !try_.key.empty() && !request.headers.find("Idempotency-Key")) {
    request.headers.set("Idempotency-Key", try_.key);
    request.idempotent = true;
  }
  TRY(net::Response response, http_.request(request, timeout, cancel_));
  if (!is_success(response)) return fail(error_of(response));
  return response;
}

Result<json::object> Client::get(std::string target, Duration timeout) {
  TRY(const net::Response response, send({net::Method::get, std::move(target), {}, "", false}, timeout));
  return parse_object(response.body);
}

Result<Page> Client::page(std::string target) {
  TRY(json::object body, get(std::move(target), timeout_));
  Page page;
  json::value* items = body.if_contains("items");
  if (items == nullptr || !items->is_array())
    return fail(ErrorCode::io, "the API answered with something else than a list");
  for (json::value& item : items->get_array()) {
    if (!item.is_object())
      return fail(ErrorCode::io, "the API answered with a list of something else than objects");
    page.items.push_back(std::move(item.get_object()));
  }
  page.next = text_of(body, "next");
  return page;
}

namespace {

std::string body_of(const Submission& submission) {
  json::object body;
  if (!submission.workflow.empty()) {
    body["workflow"] = submission.workflow;
    if (submission.version > 0) body["version"] = submission.version;
  } else {
    body["definition"] = submission.definition;
    if (!submission.file.empty()) body["file"] = submission.file;
  }
  body["input"] = submission.input;
  if (!submission.job_id.empty()) body["job_id"] = submission.job_id;
  if (!submission.metadata.empty()) body["metadata"] = submission.metadata;
  if (submission.priority) body["priority"] = *submission.priority;
  json::object context;
  if (!submission.workdir.empty()) context["workdir"] = submission.workdir;
  context["env"] = submission.env;
  body["context"] = std::move(context);
  return json::serialize(body);
}

}  // namespace

Result<Submitted> Client::submit(const Submission& submission) {
  net::ClientRequest request{net::Method::post, std::string(kRuns), {}, body_of(submission), false};
  request.headers.set("Content-Type", "application/json");
  if (const auto trace = TraceContext::parse(submission.traceparent)) {
    request.headers.set("traceparent", trace->text());
  }
  if (!submission.idempotency_key.empty()) {
    request.headers.set("Idempotency-Key", submission.idempotency_key);
    request.idempotent = true;
  }
  TRY(const net::Response response, send(std::move(request), timeout_));
  TRY(json::object run, parse_object(response.body));
  return Submitted{std::move(run), response.status == 200};
}

Result<json::object> Client::run(std::string_view id) {
  return get(resource(kRuns, id), timeout_);
}

Result<std::string> Client::definition(std::string_view id) {
  TRY(net::Response response,
      send({net::Method::get, resource(kRuns, id, "/definition"), {}, "", false}, timeout_));
  return std::move(response.body);
}

Result<json::object> Client::cancel(std::string_view id, bool terminate, std::string_view reason) {
  json::object body;
  body["terminate"] = terminate;
  body["reason"] = reason;
  return act(net::Method::post, resource(kRuns, id, "/cancel"), body);
}

Result<json::object> Client::act(net::Method method, std::string target, const json::object& body,
                                 std::string_view idempotency_key) {
  net::ClientRequest request{method, std::move(target), {}, json::serialize(body), true};
  request.headers.set("Content-Type", "application/json");
  if (!idempotency_key.empty()) request.headers.set("Idempotency-Key", std::string(idempotency_key));
  TRY(const net::Response response, send(std::move(request), timeout_));
  return parse_object(response.body);
}

Result<json::object> Client::remove(std::string target, std::string_view noun, std::string_view name) {
  http_.disconnect();  // on a kept connection it would be repeated without a word
  const auto response = send({net::Method::delete_, std::move(target), {}, "", false}, timeout_);
  if (response) return parse_object(response->body);
  if (try_.again && response.error().code == ErrorCode::not_found) return json::object{{noun, name}};
  return fail(response.error());
}

Result<json::object> Client::steer_run(std::string_view id, std::string_view verb, const json::object& body) {
  return act(net::Method::post, resource(kRuns, id, '/' + std::string(verb)), body);
}
Result<json::object> Client::steer_task(std::string_view id, std::string_view verb,
                                        const json::object& body) {
  return act(net::Method::post, resource(kTasks, id, '/' + std::string(verb)), body);
}
Result<json::object> Client::steer(std::string_view nouns, std::string_view name, std::string_view verb,
                                   const json::object& body) {
  const std::string all = std::string(kRoot) + std::string(nouns);
  return act(net::Method::post, resource(all, name, '/' + std::string(verb)), body);
}
Result<json::object> Client::replay(std::string_view id, const json::object& body) {
  return act(net::Method::post, resource(kRuns, id, "/replay"), body);
}
Result<json::object> Client::change(std::string_view id, const json::object& body) {
  return act(net::Method::patch, resource(kRuns, id), body);
}
Result<json::object> Client::bulk(const json::object& body) {
  return act(net::Method::post, std::string(kRuns) + "/bulk", body);
}
Result<json::object> Client::explain_run(std::string_view id) {
  return get(resource(kRuns, id, "/explain"), timeout_);
}
Result<json::object> Client::explain_task(std::string_view id) {
  return get(resource(kTasks, id, "/explain"), timeout_);
}
Result<json::object> Client::progress(std::string_view id) {
  return get(resource(kRuns, id, "/progress"), timeout_);
}
Result<Page> Client::all(std::string_view nouns) {
  return page(std::string(kRoot) + std::string(nouns));
}
Result<Page> Client::workers(std::string_view tag) {
  net::QueryPairs pairs;
  add(pairs, "tag", std::string(tag));
  return page(with_query(std::string(kRoot) + "workers", pairs));
}
Result<json::object> Client::worker(std::string_view name) {
  return get(resource(std::string(kRoot) + "workers", name), timeout_);
}

Result<json::object> Client::wait(std::string_view id, Duration timeout) {
  const std::int64_t seconds = timeout.us / 1'000'000;
  return get(with_query(resource(kRuns, id, "/wait"), {{"timeout", std::to_string(seconds)}}),
             timeout + Duration::seconds(30));
}

Result<Page> Client::runs(const RunQuery& query) {
  constexpr int kMostPages = 100;
  Page all{.items = {}, .next = query.cursor};
  for (int pages = 0; pages < kMostPages; ++pages) {
    net::QueryPairs pairs;
    add(pairs, "status", query.status);
    add(pairs, "workflow", query.workflow);
    add(pairs, "job_id", query.job_id);
    add(pairs, "state", query.state);
    add(pairs, "where", query.where);
    add(pairs, "limit", std::to_string(query.limit - all.items.size()));
    add(pairs, "cursor", all.next);
    TRY(Page more, page(with_query(std::string(kRuns), pairs)));
    std::ranges::move(more.items, std::back_inserter(all.items));
    all.next = std::move(more.next);
    if (all.next.empty() || all.items.size() >= query.limit) break;
  }
  return all;
}

Result<json::object> Client::state_at(std::string_view id, WallTime at) {
  json::object whole;
  for (std::string cursor;;) {
    net::QueryPairs pairs{{"at", to_rfc3339(at)}, {"limit", "10000"}};
    add(pairs, "cursor", cursor);
    TRY(json::object page, get(with_query(resource(kRuns, id, "/state"), pairs), timeout_));
    cursor = text_of(page, "next");
    page["next"] = nullptr;
    json::value* tasks = page.if_contains("tasks");
    if (tasks == nullptr || !tasks->is_array())
      return fail(ErrorCode::io, "the API answered with something else than the state of a run");
    if (whole.empty()) {
      whole = std::move(page);
    } else {
      json::array& all = whole["tasks"].as_array();
      for (json::value& task : tasks->get_array()) all.push_back(std::move(task));
    }
    if (cursor.empty()) return whole;
  }
}

Result<Page> Client::history(std::string_view id, std::size_t limit, std::string_view cursor) {
  net::QueryPairs pairs{{"limit", std::to_string(limit)}};
  add(pairs, "cursor", cursor);
  return page(with_query(resource(kRuns, id, "/history"), pairs));
}

Result<json::object> Client::apply(const Apply& request) {
  json::object body;
  body["definition"] = request.definition;
  if (!request.file.empty()) body["file"] = request.file;
  if (!request.note.empty()) body["note"] = request.note;
  if (request.dry_run) body["dry_run"] = true;
  net::ClientRequest sent{
      net::Method::post, std::string(kWorkflows), {}, json::serialize(body), !request.expected};
  sent.headers.set("Content-Type", "application/json");
  if (request.expected) sent.headers.set("If-Match", '"' + std::to_string(*request.expected) + '"');
  TRY(const net::Response response, send(std::move(sent), timeout_));
  return parse_object(response.body);
}

Result<Page> Client::workflows(std::size_t limit, std::string_view cursor) {
  net::QueryPairs pairs{{"limit", std::to_string(limit)}};
  add(pairs, "cursor", cursor);
  return page(with_query(std::string(kWorkflows), pairs));
}

Result<json::object> Client::workflow(std::string_view name, std::uint32_t version) {
  net::QueryPairs pairs;
  if (version > 0) pairs.emplace_back("version", std::to_string(version));
  return get(with_query(resource(kWorkflows, name), pairs), timeout_);
}

Result<Page> Client::versions(std::string_view name, std::size_t limit, std::string_view cursor) {
  net::QueryPairs pairs{{"limit", std::to_string(limit)}};
  add(pairs, "cursor", cursor);
  return page(with_query(resource(kWorkflows, name, "/versions"), pairs));
}

Result<json::object> Client::diff(std::string_view name, std::uint32_t from, std::uint32_t to) {
  net::QueryPairs pairs;
  if (from > 0) pairs.emplace_back("from", std::to_string(from));
  if (to > 0) pairs.emplace_back("to", std::to_string(to));
  return get(with_query(resource(kWorkflows, name, "/diff"), pairs), timeout_);
}

Result<Page> Client::tasks(std::string_view run, std::size_t limit, std::string_view cursor) {
  net::QueryPairs pairs{{"run", std::string(run)}, {"limit", std::to_string(limit)}};
  add(pairs, "cursor", cursor);
  return page(with_query(std::string(kTasks), pairs));
}

Result<json::object> Client::task(std::string_view id) {
  return get(resource(kTasks, id), timeout_);
}

Result<Page> Client::approvals(std::string_view run, std::string_view cursor) {
  net::QueryPairs pairs;
  add(pairs, "run", run);
  add(pairs, "cursor", cursor);
  return page(with_query(std::string(kApprovals), pairs));
}

Result<json::object> Client::queue(std::string_view name) {
  return get(resource(kQueues, name), timeout_);
}

Result<json::object> Client::set_queue(std::string_view name, const json::object& body) {
  return act(net::Method::patch, resource(kQueues, name), body);
}

Result<Page> Client::routes() {
  return page(std::string(kRoutes));
}

Result<json::object> Client::set_route(std::string_view pattern, std::string_view queue,
                                       std::string_view reason) {
  return act(net::Method::put, named(kRoutes, pattern), {{"queue", queue}, {"reason", reason}});
}

Result<json::object> Client::delete_route(std::string_view pattern) {
  return remove(named(kRoutes, pattern), "pattern", pattern);
}

Result<Page> Client::cached_results(const CacheQuery& query, std::size_t limit, std::string_view cursor) {
  net::QueryPairs pairs{{"limit", std::to_string(limit)}};
  add(pairs, "workflow", query.workflow);
  add(pairs, "step", query.step);
  add(pairs, "cursor", cursor);
  return page(with_query(std::string(kCache), pairs));
}

Result<json::object> Client::clear_cache(const CacheQuery& query, bool all, bool dry_run,
                                         std::string_view cursor) {
  const json::object body{{"workflow", query.workflow}, {"step", query.step},
                          {"expired", query.expired},   {"all", all},
                          {"dry_run", dry_run},         {"cursor", cursor}};
  return act(net::Method::post, std::string(kCache) + "/clear", body);
}

Result<Page> Client::limits() {
  return page(std::string(kLimits));
}

Result<json::object> Client::limit(std::string_view name) {
  return get(named(kLimits, name), timeout_);
}

Result<json::object> Client::set_limit(std::string_view name, std::uint32_t limit, std::string_view reason) {
  const json::object body{{"limit", limit}, {"reason", reason}};
  return act(net::Method::put, named(kLimits, name), body);
}

Result<json::object> Client::delete_limit(std::string_view name) {
  return remove(named(kLimits, name), "name", name);
}

Result<Page> Client::breakers(std::string_view state, std::string_view cursor) {
  net::QueryPairs pairs;
  add(pairs, "state", state);
  add(pairs, "cursor", cursor);
  return page(with_query(std::string(kBreakers), pairs));
}

Result<json::object> Client::breaker(std::string_view name) {
  return get(resource(kBreakers, name), timeout_);
}

Result<json::object> Client::force_breaker(std::string_view name, std::string_view verb,
                                           std::string_view reason) {
  json::object body;
  body["reason"] = reason;
  return act(net::Method::post, resource(kBreakers, name, "/" + std::string(verb)), body);
}

Result<Page> Client::dead_letters(const DeadLetterQuery& query) {
  net::QueryPairs pairs{{"limit", std::to_string(query.limit)}};
  add(pairs, "group", query.group);
  add(pairs, "workflow", query.workflow);
  add(pairs, "step", query.step);
  add(pairs, "error_type", query.error_type);
  add(pairs, "cursor", query.cursor);
  return page(with_query(std::string(kDeadLetters), pairs));
}

Result<Page> Client::dead_letter_groups() {
  return page("/api/v1/dead-letter-groups");
}

Result<json::object> Client::dead_letter(std::string_view id) {
  return get(resource(kDeadLetters, id), timeout_);
}

Result<json::object> Client::replay_dead_letter(std::string_view id, const json::object& body) {
  return act(net::Method::post, resource(kDeadLetters, id, "/replay"), body);
}

Result<json::object> Client::discard_dead_letters(const std::vector<std::string>& ids) {
  json::object body;
  body["ids"] = json::value_from(ids);
  return act(net::Method::post, std::string(kDeadLetters) + "/discard", body);
}

Result<json::object> Client::signal(std::string_view run, std::string_view name, const json::value& data,
                                    std::string_view key) {
  json::object body;
  body["data"] = data;
  return act(net::Method::post, resource(kRuns, run, "/signals/" + net::percent_encode(name)), body, key);
}

Result<json::object> Client::answer(std::string_view task, bool approved, std::string_view reason,
                                    const json::value& value) {
  json::object body;
  if (!reason.empty()) body["reason"] = reason;
  if (approved && !value.is_null()) body["value"] = value;
  return act(net::Method::post, resource(kTasks, task, approved ? "/approve" : "/reject"), body);
}

Result<Page> Client::resources(const ResourceQuery& query) {
  net::QueryPairs pairs{{"limit", std::to_string(query.limit)}};
  add(pairs, "run", query.run);
  add(pairs, "status", query.status);
  add(pairs, "cursor", query.cursor);
  return page(with_query(std::string(kResources), pairs));
}

Result<json::object> Client::get_resource(std::string_view id) {
  return get(resource(kResources, id), timeout_);
}

Result<json::object> Client::clean_resource(std::string_view id) {
  return act(net::Method::post, resource(kResources, id, "/cleanup"), {});
}

Result<json::object> Client::register_resource(std::string_view task, std::string_view token,
                                               std::string_view name, const std::vector<std::string>& argv,
                                               std::string_view workdir) {
  json::object body;
  body["token"] = token;
  body["name"] = name;
  body["argv"] = json::value_from(argv);
  body["workdir"] = workdir;
  return act(net::Method::post, resource(kTasks, task, "/resources"), body);
}

Result<json::object> Client::add_tasks(std::string_view task, std::string_view token, std::string_view steps,
                                       std::string_view file, bool detach) {
  json::object body;
  body["token"] = token;
  body["steps"] = steps;
  body["file"] = file;
  body["detach"] = detach;
  return act(net::Method::post, resource(kTasks, task, "/tasks"), body);
}

Result<json::object> Client::start_child(std::string_view task, std::string_view token,
                                         std::string_view workflow, std::uint32_t version,
                                         const json::object& input, std::string_view key) {
  json::object body{{"token", token}, {"workflow", workflow}, {"input", input}, {"key", key}};
  if (version > 0) body["version"] = version;
  return act(net::Method::post, resource(kTasks, task, "/runs"), body);
}

Result<json::object> Client::release_resource(std::string_view task, std::string_view token,
                                              std::string_view name) {
  json::object body;
  body["token"] = token;
  return act(net::Method::post,
             resource(kTasks, task, "/resources/" + net::percent_encode(name) + "/release"), body);
}

Result<json::object> Client::report_progress(std::string_view task, std::string_view token,
                                             std::optional<int> percent, std::string_view message) {
  json::object body;
  body["token"] = token;
  if (percent) body["progress"] = *percent;
  if (!message.empty()) body["message"] = message;
  return act(net::Method::post, resource(kTasks, task, "/progress"), body);
}

Result<json::object> Client::backup(std::string_view path) {
  net::ClientRequest request{net::Method::post,
                             std::string(kRoot) + "backups",
                             {},
                             json::serialize(json::object{{"path", path}}),
                             false};
  request.headers.set("Content-Type", "application/json");
  TRY(const net::Response response, send(std::move(request), kBackup));
  return parse_object(response.body);
}

Result<json::object> Client::create_key(const json::object& body) {
  net::ClientRequest request{net::Method::post, "/api/v1/keys", {}, json::serialize(body), false};
  request.headers.set("Content-Type", "application/json");
  TRY(const net::Response response, send(std::move(request), timeout_));
  return parse_object(response.body);
}

Result<json::object> Client::revoke_key(std::string_view name) {
  net::ClientRequest request{net::Method::delete_, resource("/api/v1/keys", name), {}, "", true};
  TRY(const net::Response response, send(std::move(request), timeout_));
  return parse_object(response.body);
}

Result<json::object> Client::get_namespace(std::string_view name) {
  return get(resource("/api/v1/namespaces", name), timeout_);
}

Result<json::object> Client::create_namespace(const json::object& body) {
  return act(net::Method::post, "/api/v1/namespaces", body);
}

Result<json::object> Client::delete_namespace(std::string_view name) {
  return remove(resource("/api/v1/namespaces", name), "name", name);
}

Result<json::object> Client::set_secret(std::string_view name, const json::object& body) {
  return act(net::Method::put, resource("/api/v1/secrets", name), body);
}

Result<json::object> Client::delete_secret(std::string_view name) {
  return remove(resource("/api/v1/secrets", name), "name", name);
}

Result<Page> Client::audit(std::size_t limit, std::string_view cursor) {
  net::QueryPairs pairs{{"limit", std::to_string(limit)}};
  add(pairs, "cursor", cursor);
  return page(with_query("/api/v1/audit", pairs));
}

Result<json::object> Client::verify_audit() {
  return get("/api/v1/audit/verify", kBackup);
}

Result<json::object> Client::metrics() {
  return get("/api/v1/metrics", timeout_);
}
Result<std::string> Client::metrics_text() {
  TRY(net::Response response, send({net::Method::get, "/metrics", {}, "", false}, timeout_));
  return std::move(response.body);
}
Result<json::object> Client::version() {
  return get("/api/v1/version", timeout_);
}

Status Client::events(std::string_view run, std::string_view after,
                      const std::function<bool(Event)>& on_event) {
  net::ClientRequest request{net::Method::get, resource(kRuns, run, "/events"), {}, "", true};
  sign(request);
  if (!after.empty()) request.headers.set("Last-Event-ID", std::string(after));
  net::SseParser parser;
  Status parsed;
  const auto on_piece = [&](std::string_view piece) {
    bool wanted = true;
    parsed = parser.feed(piece, [&](net::SseEvent event) {
      auto data = parse_object(event.data);
      if (!data) return wanted = false;
      wanted = on_event({std::move(event.id), std::move(event.event), std::move(*data)});
      return wanted;
    });
    return parsed.has_value() && wanted;
  };
  TRY(const net::Response response, http_.stream(request, on_piece, kSilence, cancel_));
  if (!is_success(response)) return fail(error_of(response));
  return parsed;
}

Status Client::logs(std::string_view task, const LogQuery& query,
                    const std::function<bool(std::string_view)>& on_text) {
  net::QueryPairs pairs;
  if (query.attempt > 0) pairs.emplace_back("attempt", std::to_string(query.attempt));
  if (query.follow) pairs.emplace_back("follow", "true");
  if (query.tail) pairs.emplace_back("tail", std::to_string(*query.tail));
  if (query.since) pairs.emplace_back("since", to_rfc3339(*query.since));
  if (query.until) pairs.emplace_back("until", to_rfc3339(*query.until));
  if (query.json) pairs.emplace_back("format", "jsonl");
  if (query.raw) pairs.emplace_back("raw", "true");
  if (query.timestamps) pairs.emplace_back("timestamps", "true");
  net::ClientRequest request{
      net::Method::get, with_query(resource(kTasks, task, "/logs"), pairs), {}, "", true};
  sign(request);
  // A task that says nothing may do so for hours; the owner's end closes the connection.
  const Duration silence = query.follow ? Duration::hours(24 * 365) : kSilence;
  TRY(const net::Response response, http_.stream(request, on_text, silence, cancel_));
  if (!is_success(response)) return fail(error_of(response));
  return {};
}

}  // namespace baton::client
