#include "api/call.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "api/problem.hpp"
#include "base/text.hpp"

namespace baton::api {

std::size_t UnderWay::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

void UnderWay::wait_for_none(Duration patience) const {
  std::unique_lock lock(mutex_);
  none_.wait_for(lock, std::chrono::microseconds(patience.us), [this] { return count_ == 0; });
}

Ticket::Ticket(std::shared_ptr<UnderWay> counter) : counter_(std::move(counter)) {
  const std::lock_guard lock(counter_->mutex_);
  ++counter_->count_;
}

Ticket::~Ticket() {
  if (!counter_) return;
  const std::lock_guard lock(counter_->mutex_);
  if (--counter_->count_ == 0) counter_->none_.notify_all();
}

namespace {

// What a page of an allowed origin may see (Fetch, "CORS protocol").
void open_to(const std::string& page, net::Headers& headers) {
  if (page.empty()) return;
  headers.set("Access-Control-Allow-Origin", page);
  headers.set("Access-Control-Expose-Headers", "ETag, Location, Retry-After");
  headers.add("Vary", "Origin");
}

}  // namespace

Call::~Call() {
  if (responder)
    fail({ErrorCode::unavailable, "Baton is stopping; its runs go on when it is started again", ""});
}

void Call::respond(net::Response response) {
  open_to(page, response.headers);
  if (meter != nullptr) {
    using telemetry::Metric;
    const std::string_view method = to_string(request.method);
    const std::string_view shown = route.empty() ? "none" : route;
    meter->add(Metric::http_requests, {method, shown, std::to_string(response.status)});
    if (!waits) {
      const Duration took = net::Loop::now() - begun;
      meter->observe(Metric::http_duration, {method, shown}, static_cast<double>(took.us) / 1e6);
    }
  }
  responder.respond(std::move(response));
}

net::StreamWriter Call::stream(int status, net::Headers headers, std::size_t limit) {
  open_to(page, headers);
  if (meter != nullptr) {
    meter->add(telemetry::Metric::http_requests, {to_string(request.method), route, std::to_string(status)});
  }
  return responder.stream(status, std::move(headers), limit);
}

void Call::json(int status, std::string body, net::Headers more) {
  more.set("Content-Type", "application/json");
  more.set("Cache-Control", "no-store");
  respond({status, std::move(more), std::move(body)});
}

void Call::text(int status, std::string body) {
  respond({status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)});
}

void Call::fail(const Error& error) {
  respond(problem(error));
}

Result<RunId> Call::run_id() const {
  const auto id = RunId::parse(captures.at(0));
  if (!id) return baton::fail(ErrorCode::not_found, "there is no run " + printable(captures.at(0)));
  return *id;
}

Result<TaskId> Call::task_id() const {
  const auto id = TaskId::parse(captures.at(0));
  if (!id) {
    return baton::fail(ErrorCode::not_found, "there is no task " + printable(captures.at(0)) +
                                                 "; a task's id is its run's id, a dot and a number");
  }
  return *id;
}

Status Call::only(std::initializer_list<std::string_view> known) const {
  for (const auto& [name, value] : request.query) {
    if (std::ranges::find(known, name) != known.end()) continue;
    std::string message = "unknown query parameter \"" + printable(name) + "\"";
    const std::string_view near = nearest(name, {known.begin(), known.size()});
    if (!near.empty()) message += "; did you mean \"" + std::string(near) + "\"?";
    return baton::fail(ErrorCode::invalid_request, std::move(message));
  }
  return {};
}

Result<std::size_t> Call::number(std::string_view name, std::size_t fallback, std::size_t low,
                                 std::size_t high) const {
  const auto text = query(name);
  if (!text) return fallback;
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < low || value > high) {
    return baton::fail(ErrorCode::invalid_request, "query parameter \"" + std::string(name) +
                                                       "\" must be a whole number from " +
                                                       std::to_string(low) + " to " + std::to_string(high));
  }
  return value;
}

Result<bool> Call::flag(std::string_view name) const {
  const auto text = query(name);
  if (!text || *text == "0" || *text == "false") return false;
  if (*text == "1" || *text == "true") return true;
  return baton::fail(ErrorCode::invalid_request,
                     "query parameter \"" + std::string(name) + "\" must be true or false");
}

void answer(Call& call, Result<std::string> body) {
  if (body) {
    call.json(200, std::move(*body));
  } else {
    call.fail(body.error());
  }
}

}  // namespace baton::api
