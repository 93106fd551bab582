#include <cxxabi.h>

#include <algorithm>
#include <baton/context.hpp>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <typeinfo>

#include "base/text.hpp"
#include "bridge.hpp"
#include "executors/json_text.hpp"
#include "functions.hpp"
#include "model/outcome.hpp"
#include "net/http_client.hpp"
#include "net/url.hpp"

namespace baton::v0 {
namespace {

namespace functions = baton::executors::functions;
using baton::model::Outcome;

constexpr baton::Duration kPatience = baton::Duration::seconds(60);  // that a call outlives an absent server
constexpr baton::Duration kFirstPause = baton::Duration::millis(50);
constexpr baton::Duration kLongestPause = baton::Duration::seconds(2);
// The server takes 64 levels, with those of the report around it.
constexpr std::size_t kMostLevels = 60;

EndReason reason_of(functions::EndReason reason) {
  switch (reason) {
    case functions::EndReason::none:
      return EndReason::none;
    case functions::EndReason::cancelled:
      return EndReason::cancelled;
    case functions::EndReason::shutdown:
      return EndReason::shutdown;
  }
  return EndReason::none;
}

bool may_pass(baton::ErrorCode code) {
  return code == baton::ErrorCode::unavailable || code == baton::ErrorCode::io ||
         code == baton::ErrorCode::timed_out || code == baton::ErrorCode::overloaded ||
         code == baton::ErrorCode::read_only;
}

bool too_deep(const Json& json, std::size_t levels) {
  if (json.size() == 0) return false;
  if (levels == 0) return true;
  if (const auto* items = json.if_array())
    return std::ranges::any_of(*items, [&](const Json& item) { return too_deep(item, levels - 1); });
  return std::ranges::any_of(*json.if_object(),
                             [&](const auto& member) { return too_deep(member.second, levels - 1); });
}

// "runtime_error" of std::runtime_error.
std::string class_name(const std::type_info& type) {
  int status = 0;
  char* text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = status == 0 && text != nullptr ? text : type.name();
  std::free(text);
  std::size_t begin = 0;
  int depth = 0;  // of template arguments, whose own names do not count
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<') ++depth;
    if (name[i] == '>') --depth;
    if (depth == 0 && name[i] == ':') begin = i + 1;
  }
  return name.substr(begin);
}

Outcome failed(std::string type, std::string message) {
  Outcome outcome{.kind = Outcome::Kind::failed};
  outcome.failure = {.type = baton::to_utf8(type), .message = baton::to_utf8(message)};
  return outcome;
}

// The text of a result; of one that cannot be sent: why not.
baton::Result<std::string> text_of(const Json& result) {
  if (too_deep(result, kMostLevels)) {
    return baton::fail(baton::ErrorCode::usage,
                       "the result has more than " + std::to_string(kMostLevels) + " levels");
  }
  std::string text = result.text();
  if (text.size() > baton::executors::kMaxResult) {
    return baton::fail(baton::ErrorCode::usage,
                       "the result has " + std::to_string(text.size()) +
                           " bytes; 2 MiB is the most (store it elsewhere and return where)");
  }
  return text;
}

Outcome completed(const Json& result) {
  Outcome outcome;
  if (result.is_null()) return outcome;
  auto text = text_of(result);
  if (text) {
    outcome.result = std::move(*text);
    return outcome;
  }
  outcome = failed(baton::model::error_type::kValidation, text.error().message);
  outcome.failure.never_retry = true;
  return outcome;
}

}  // namespace

// ---- What handlers throw

struct TaskFailed::Parts {
  std::string type = "TaskFailed";
  std::optional<Seconds> retry_after;
  bool never_retry = false;
  Json partial;
};

TaskFailed::TaskFailed(const std::string& message)
    : std::runtime_error(message), parts_(std::make_shared<Parts>()) {}
TaskFailed::TaskFailed(const TaskFailed& other) noexcept = default;
TaskFailed::~TaskFailed() = default;
TaskFailed& TaskFailed::type(std::string type) & {
  parts_->type = std::move(type);
  return *this;
}
TaskFailed& TaskFailed::retry_after(Seconds delay) & {
  parts_->retry_after = delay;
  return *this;
}
TaskFailed& TaskFailed::never_retry() & {
  parts_->never_retry = true;
  return *this;
}
TaskFailed& TaskFailed::partial(Json result) & {
  parts_->partial = std::move(result);
  return *this;
}

struct FailureAccess {
  static Outcome outcome(const TaskFailed& error) {
    const TaskFailed::Parts& parts = *error.parts_;
    Outcome outcome = failed(parts.type, error.what());
    outcome.failure.never_retry = parts.never_retry;
    if (parts.retry_after)
      outcome.failure.retry_after = std::min(duration_of(*parts.retry_after), baton::Duration::hours(1));
    if (parts.partial.is_null()) return outcome;
    auto text = text_of(parts.partial);
    if (text) {
      outcome.result = std::move(*text);
    } else {
      outcome.failure.message += "\n(the partial result is left out: " + text.error().message + ")";
    }
    return outcome;
  }
};

// ---- The attempt

struct Context::Impl {
  Impl(functions::Call& the_call, const CallTarget& the_target)
      : call(the_call),
        target(the_target),
        run_id(call.attempt().task.run.text()),
        task_id(call.attempt().task.text()),
        token(call.attempt().token.text()),
        function(call.function()),
        input(json_of(call.input())) {}

  functions::Call& call;
  const CallTarget& target;
  const std::string run_id;
  const std::string task_id;
  const std::string token;
  const std::string function;
  const Json input;
  std::mutex mutex;
  std::optional<baton::client::Client> client;  // guarded by mutex

  EndReason end_reason() const { return reason_of(call.end_reason()); }
  void check() const {
    if (const EndReason reason = end_reason(); reason != EndReason::none) throw Cancelled(reason);
  }

  // A call as this attempt, until there is an answer.
  template <typename Request>
  auto tell(Request request) -> decltype(request(*client)) {
    const std::lock_guard lock(mutex);
    if (!client) client.emplace(target.server);
    baton::Duration spent{};
    for (baton::Duration pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
      check();
      auto answer = request(*client);
      if (answer) return answer;
      if (answer.error().code == baton::ErrorCode::stale_token) check();
      if (!may_pass(answer.error().code) || spent > kPatience) return answer;
      call.wait_for_end(pause);
      spent = spent + pause;
    }
  }
};

struct ContextAccess {
  static Context make(Context::Impl& impl) { return Context(impl); }
  using Impl = Context::Impl;
};

const std::string& Context::run_id() const noexcept {
  return impl_->run_id;
}
const std::string& Context::task_id() const noexcept {
  return impl_->task_id;
}
const std::string& Context::step() const noexcept {
  return impl_->call.attempt().step;
}
const std::string& Context::function() const noexcept {
  return impl_->function;
}
std::uint32_t Context::attempt() const noexcept {
  return impl_->call.attempt().number;
}
const std::string& Context::token() const noexcept {
  return impl_->token;
}
const Json& Context::input() const noexcept {
  return impl_->input;
}
EndReason Context::end_reason() const noexcept {
  return impl_->end_reason();
}
void Context::check_cancelled() const {
  impl_->check();
}
void Context::sleep(Seconds length) const {
  if (wait_cancelled(length)) impl_->check();
}
bool Context::wait_cancelled(Seconds longest) const {
  return impl_->call.wait_for_end(duration_of(longest)) != functions::EndReason::none;
}
std::optional<std::chrono::steady_clock::time_point> Context::deadline() const noexcept {
  return impl_->call.attempt().soft_end;
}
std::optional<Seconds> Context::time_left() const noexcept {
  const auto end = deadline();
  if (!end) return std::nullopt;
  return std::max(Seconds(*end - std::chrono::steady_clock::now()), Seconds(0));
}
void Context::log(std::string_view line) {
  impl_->call.print(line);
}

Status Context::progress(int percent, std::string_view message) {
  const auto answer = impl_->tell([&](baton::client::Client& client) {
    return client.report_progress(impl_->task_id, impl_->token, std::clamp(percent, 0, 100), message);
  });
  if (!answer) return error_of(answer.error());
  return {};
}

Status Context::heartbeat() {
  const auto answer = impl_->tell([&](baton::client::Client& client) {
    return client.report_progress(impl_->task_id, impl_->token, std::nullopt, {});
  });
  if (!answer) return error_of(answer.error());
  return {};
}

Result<bool> Context::register_resource(std::string_view name, const std::vector<std::string>& cleanup,
                                        std::string_view workdir) {
  const auto answer = impl_->tell([&](baton::client::Client& client) {
    return client.register_resource(impl_->task_id, impl_->token, name, cleanup, workdir);
  });
  if (!answer) return error_of(answer.error());
  return !(json_of(*answer)["existing"] == Json(true));
}

Result<bool> Context::release_resource(std::string_view name) {
  const auto answer = impl_->tell([&](baton::client::Client& client) {
    return client.release_resource(impl_->task_id, impl_->token, name);
  });
  if (!answer) return error_of(answer.error());
  return json_of(*answer)["existed"] == Json(true);
}

Result<std::vector<std::string>> Context::add_tasks(const Json& steps, bool detach) {
  const std::string text = Json::object({{"steps", steps}}).text();
  const auto answer = impl_->tell([&](baton::client::Client& client) {
    return client.add_tasks(impl_->task_id, impl_->token, text, "add_tasks", detach);
  });
  if (!answer) return error_of(answer.error());
  std::vector<std::string> ids;
  const Json items = json_of(*answer)["items"];
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (const std::string* id = items.at(i)["id"].if_string()) ids.push_back(*id);
  }
  return ids;
}

Result<std::string> Context::start_run(std::string_view workflow, const ChildRun& child) {
  auto input = members_of(child.input, "the input of a run");
  if (!input) return error_of(input.error());
  const auto answer = impl_->tell([&](baton::client::Client& client) {
    return client.start_child(impl_->task_id, impl_->token, workflow, child.version, *input, child.key);
  });
  if (!answer) return error_of(answer.error());
  return json_of(*answer)["id"].get<std::string>();
}

// ---- Handlers

InputError::InputError(const JsonError& error) : JsonError(error) {}
InputError::~InputError() = default;

namespace detail {
void wrong_number_of_arguments(const Json& input, std::size_t wanted) {
  throw JsonError("", "the function takes a list of " + std::to_string(wanted) + " arguments, not " +
                          (input.is_array() ? std::to_string(input.size()) : std::string(input.kind())));
}
}  // namespace detail

namespace {

Outcome carry_out(const Handler& handler, functions::Call& call, const CallTarget& target) {
  ContextAccess::Impl impl(call, target);
  Context context = ContextAccess::make(impl);
  try {
    const Result<Json> result = handler(context);
    if (result) return completed(*result);
    return failed(std::string(name(result.error().code)), result.error().message);
  } catch (const Cancelled& cancelled) {
    if (cancelled.reason() == EndReason::shutdown) return {.kind = Outcome::Kind::interrupted};
    return failed(baton::model::error_type::kCancelled, "ended by request");
  } catch (const TaskFailed& error) {
    return FailureAccess::outcome(error);
  } catch (const InputError& error) {
    Outcome outcome = failed(baton::model::error_type::kValidation,
                             std::string("the input does not fit the function: ") + error.what());
    outcome.failure.never_retry = true;
    return outcome;
  } catch (const std::exception& error) {
    return failed(class_name(typeid(error)), error.what());
  } catch (...) {
    return failed("unknown", "the handler has thrown something that is no std::exception");
  }
}

}  // namespace

functions::Function function_of(Handler handler, std::shared_ptr<const CallTarget> target) {
  return [handler = std::move(handler), target = std::move(target)](functions::Call& call) {
    return carry_out(handler, call, *target);
  };
}

}  // namespace baton::v0
