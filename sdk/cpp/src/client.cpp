#include <algorithm>
#include <baton/client.hpp>
#include <baton/workflow.hpp>
#include <chrono>
#include <exception>
#include <thread>

#include "client_impl.hpp"

namespace baton::v0 {
namespace {

using Clock = std::chrono::steady_clock;
namespace json = boost::json;

constexpr double kLongestWait = 300;  // of one request, in seconds

}  // namespace

Definition::Definition(const Workflow& workflow) : text_(workflow.text()) {}

Client::Client(ServerAddress server, Seconds patience)
    : impl_(std::make_unique<Impl>(std::move(server), patience)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
// ---- Making runs

Result<Run> Client::submit(const Definition& definition, const Start& start) {
  baton::client::Submission submission;
  submission.definition = definition.text();
  return impl_->submit(std::move(submission), start);
}

Result<Run> Client::start(std::string_view workflow, const Start& start) {
  baton::client::Submission submission;
  submission.workflow = workflow;
  submission.version = start.version;
  return impl_->submit(std::move(submission), start);
}

Result<Run> Client::call(std::string_view function, const Json& input, const Start& start) {
  const std::size_t dot = function.rfind('.');
  Workflow flow(function);
  Step& step = flow.step(dot == std::string_view::npos ? function : function.substr(dot + 1));
  step.task(std::string(function));
  if (!input.is_null()) step.with(input);
  return submit(flow, start);
}

Result<Applied> Client::apply(const Definition& definition, const ApplyOptions& options) {
  const Json body = body_of({{"definition", definition.text()},
                             {"note", options.note},
                             {"dry_run", options.dry_run ? Json(true) : Json()}});
  baton::net::ClientRequest request{baton::net::Method::post, "/api/v1/workflows", {}, body.text(), true};
  request.headers.set("Content-Type", "application/json");
  request.headers.set("Idempotency-Key",
                      random_key());  // with `expected`, a repetition would meet its first try
  if (options.expected) request.headers.set("If-Match", '"' + std::to_string(*options.expected) + '"');
  const Result<Json> answer = impl_->send(std::move(request), false);
  if (!answer) return answer.error();
  Applied applied;
  applied.raw = *answer;
  applied.workflow = text_of(applied.raw["workflow"]);
  applied.version = number_of(applied.raw["version"]);
  applied.hash = text_of(applied.raw["hash"]);
  applied.outcome = text_of(applied.raw["outcome"]);
  return applied;
}

Result<std::vector<std::string>> Client::submit_many(const Definition& definition,
                                                     const std::vector<Json>& inputs,
                                                     std::string_view idempotency_key) {
  Json runs = Json::array();
  for (const Json& input : inputs) runs.push_back(body_of({{"input", input}}));
  const Result<Json> answer =
      impl_->post("/api/v1/runs/batch", Json::object({{"definition", definition.text()}, {"runs", runs}}),
                  idempotency_key);
  if (!answer) return answer.error();
  std::vector<std::string> ids;
  const Json& made = (*answer)["runs"];
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (const Json& wrong = made.at(i)["error"]; wrong.is_object()) {
      const auto code = baton::error_code_from_name(text_of(wrong["code"]));
      return Error{static_cast<Code>(code.value_or(baton::ErrorCode::io)),
                   "run " + std::to_string(i) + " of " + std::to_string(made.size()) + ": " +
                       text_of(wrong["message"]),
                   "/runs/" + std::to_string(i)};
    }
    ids.push_back(text_of(made.at(i)["id"]));
  }
  return ids;
}

// ---- Looking at runs

Result<Run> Client::get(std::string_view run) {
  return impl_->run([&](baton::client::Client& client) { return client.run(run); });
}

Result<std::vector<Run>> Client::list(const RunFilter& filter) {
  return impl_->list<Run>(
      [&](baton::client::Client& client, std::size_t limit, const std::string& cursor) {
        baton::client::RunQuery query;
        query.status = filter.status;
        query.state = filter.state;
        query.workflow = filter.workflow;
        query.job_id = filter.job_id;
        query.where = filter.where;
        query.limit = limit;
        query.cursor = cursor;
        return client.runs(query);
      },
      run_of, filter.limit);
}

Result<std::vector<TaskRow>> Client::tasks(std::string_view run) {
  return impl_->list<TaskRow>([&](baton::client::Client& client, std::size_t limit,
                                  const std::string& cursor) { return client.tasks(run, limit, cursor); },
                              task_of, SIZE_MAX);
}

Result<TaskRow> Client::task(std::string_view task) {
  const auto answer = impl_->call([&](baton::client::Client& client) { return client.task(task); });
  if (!answer) return error_of(answer.error());
  return task_of(json_of(*answer));
}

Result<Json> Client::progress(std::string_view run) {
  const auto answer = impl_->call([&](baton::client::Client& client) { return client.progress(run); });
  if (!answer) return error_of(answer.error());
  return json_of(*answer);
}

Result<std::vector<std::string>> Client::explain(std::string_view run) {
  const auto answer = impl_->call([&](baton::client::Client& client) { return client.explain_run(run); });
  if (!answer) return error_of(answer.error());
  std::vector<std::string> sentences;
  const Json reasons = json_of(*answer)["reasons"];
  for (std::size_t i = 0; i < reasons.size(); ++i) sentences.push_back(text_of(reasons.at(i)["message"]));
  return sentences;
}

Result<Run> Client::wait(std::string_view run, std::optional<Seconds> timeout) {
  const auto begin = Clock::now();
  for (;;) {
    const double left = timeout
                            ? timeout->count() - std::chrono::duration<double>(Clock::now() - begin).count()
                            : kLongestWait;
    // Whole seconds; the last piece of a short time is waited for in full.
    const double piece = std::clamp(left, 0.0, kLongestWait);
    const auto rounded = baton::Duration::seconds(static_cast<std::int64_t>(piece + 0.999));
    Result<Run> found = impl_->run([&](baton::client::Client& client) { return client.wait(run, rounded); });
    if (!found || found->ended()) return found;
    if (timeout && left <= piece) {
      return Error{Code::timed_out, "run " + found->id + " is still " + found->status + "; it goes on", ""};
    }
  }
}

Result<Json> Client::results(std::string_view run) {
  Result<std::vector<TaskRow>> rows = tasks(run);
  if (!rows) return std::move(rows).error();
  Json results = Json::object();
  for (TaskRow& task : *rows) {
    if (text_of(task.raw["role"]) != "main") continue;
    if (task.index) {
      results.set(task.step).push_back(std::move(task.result));
    } else {
      results.set(task.step) = std::move(task.result);
    }
  }
  return results;
}

Result<Json> Client::result(std::string_view run, std::optional<Seconds> timeout) {
  const Result<Run> ended = wait(run, timeout);
  if (!ended) return ended.error();
  if (!ended->completed()) {
    std::string why = ended->error ? ": " + ended->error->message : "";
    return Error{Code::conflict, "run " + ended->id + " of " + ended->workflow + " is " + ended->status + why,
                 ended->id};
  }
  const auto text = impl_->call([&](baton::client::Client& client) { return client.definition(run); });
  if (!text) return error_of(text.error());
  const Result<Json> definition = Json::parse(*text);
  if (!definition) return definition.error();
  const Result<Json> all = results(run);
  if (!all) return all.error();
  const Json& steps = (*definition)["steps"];
  Json needed = Json::object();
  Json last = Json::object();
  if (steps.is_object()) {
    for (const auto& [name, step] : *steps.if_object()) {
      const Json& needs = step["needs"];
      for (std::size_t i = 0; i < needs.size(); ++i) needed.set(text_of(needs.at(i)), true);
    }
    for (const auto& [name, step] : *steps.if_object()) {
      if (needed[name].is_null()) last.set(name, (*all)[name]);
    }
  }
  if (last.size() == 1) return last.if_object()->begin()->second;
  return last;
}

Status Client::events(std::string_view run, const std::function<bool(const Event&)>& on_event,
                      std::string_view after) {
  std::string place(after);
  bool over = false;
  std::exception_ptr thrown;
  const auto handle = [&](baton::client::Event got) {
    const Event event{std::move(got.id), std::move(got.type), json_of(got.data)};
    try {
      over = !on_event(event);
    } catch (...) {  // not through the connection
      thrown = std::current_exception();
      over = true;
    }
    over = over || event.type == "run.ended";
    if (!event.id.empty()) place = event.id;
    return !over;
  };
  auto connection = impl_->connect();
  if (!connection) return error_of(connection.error());
  auto end = Clock::now() + duration_of(impl_->patience).chrono();
  for (baton::Duration pause = Impl::kFirstPause;;) {
    const std::string before = place;
    const auto streamed = (*connection)->typed.events(run, place, handle);
    if (thrown) std::rethrow_exception(thrown);
    if (over) return {};
    if (place != before) {
      pause = Impl::kFirstPause;
      end = Clock::now() + duration_of(impl_->patience).chrono();
    }
    if (streamed) {
      // The server has ended the stream: the run is over, or the server ends.
      const Result<Run> now = get(run);
      if (!now) return now.error();
      if (now->ended()) return {};
    } else if (!may_pass(streamed.error().code) || Clock::now() + pause.chrono() >= end) {
      return error_of(streamed.error());
    }
    std::this_thread::sleep_for(pause.chrono());
    pause = std::min(pause * 2, Impl::kLongestPause);
  }
}

Result<std::string> Client::logs(std::string_view task, const LogOptions& options) {
  baton::client::LogQuery query;
  query.attempt = options.attempt;
  query.tail = options.tail;
  query.raw = true;
  std::string text;
  const auto status = impl_->call([&](baton::client::Client& client) {
    text.clear();
    return client.logs(task, query, [&](std::string_view piece) {
      text += piece;
      return true;
    });
  });
  if (!status) return error_of(status.error());
  return text;
}

// ---- Steering runs

Result<Run> Client::cancel(std::string_view run, std::string_view reason) {
  return impl_->run([&](baton::client::Client& client) { return client.cancel(run, false, reason); });
}
Result<Run> Client::terminate(std::string_view run, std::string_view reason) {
  return impl_->run([&](baton::client::Client& client) { return client.cancel(run, true, reason); });
}
Result<Run> Client::pause(std::string_view run, std::string_view reason) {
  return impl_->steer(run, "pause", body_of({{"reason", reason}}));
}
Result<Run> Client::resume(std::string_view run) {
  return impl_->steer(run, "resume", Json::object());
}

Result<Run> Client::recover(std::string_view run, const Recover& how) {
  Json body = body_of({{"reason", how.reason}});
  if (how.from) body.set("from", *how.from);
  if (!how.keep.empty()) body.set("keep", Json::of(how.keep));
  if (how.failed_only) body.set("failed_only", true);
  if (how.force) body.set("force", true);
  return impl_->steer(run, "recover", body);
}

Result<Run> Client::retry(std::string_view run, bool force) {
  return impl_->steer(run, "retry", force ? Json::object({{"force", true}}) : Json::object());
}

Result<Run> Client::replay(std::string_view run, const Replay& how) {
  Json body = body_of({{"input", how.input}, {"job_id", how.job_id}});
  if (how.version != 0) body.set("version", how.version);
  return impl_->steer(run, "replay", body, how.idempotency_key);
}

Result<Run> Client::change(std::string_view run, const RunChange& what) {
  Json body = body_of({{"metadata", what.metadata}, {"labels", what.labels}});
  if (what.priority) body.set("priority", *what.priority);
  const Result<Json> answer = impl_->ask(baton::net::Method::patch, path_of("runs", run), body, {}, false);
  if (!answer) return answer.error();
  return run_of(*answer);
}

Result<std::uint64_t> Client::signal(std::string_view run, std::string_view signal_name, const Json& data,
                                     std::string_view idempotency_key) {
  const std::string key = idempotency_key.empty() ? random_key() : std::string(idempotency_key);
  const json::value value = boost_of(data);
  const auto answer =
      impl_->call([&](baton::client::Client& client) { return client.signal(run, signal_name, value, key); });
  if (!answer) return error_of(answer.error());
  return json_of(*answer)["number"].try_get<std::uint64_t>();
}

}  // namespace baton::v0
