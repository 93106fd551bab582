// POST /api/v1/runs: a definition, or a version that is stored, and its input become a run. And
// POST /api/v1/runs/batch: with many inputs, as many runs.
#include <boost/json/serialize.hpp>
#include <mutex>
#include <utility>
#include <vector>

#include "api/edits.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/problem.hpp"
#include "api/submission.hpp"
#include "api/token.hpp"
#include "api/wait.hpp"
#include "base/trace_context.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostRuns = 1000;  // of one batch
constexpr std::size_t kAnsweredOnLoop = 16;
constexpr std::size_t kBytesPerRun = 70;   // of an answer
constexpr std::size_t kMaxBatchKey = 250;  // leaves room for the number of a run

Result<std::string> key_of(const Call& call, std::size_t most) {
  const std::string_view key = call.request.headers.find("Idempotency-Key").value_or("");
  if (key.size() > most) {
    return fail(ErrorCode::invalid_request,
                "the Idempotency-Key of this request has at most " + std::to_string(most) + " bytes");
  }
  return std::string(key);
}

// ---- One

struct One {
  RunSource source;
  RunWish wish;
  std::string key;
  std::size_t wait = 0;  // seconds, for its end
};

Result<One> read_one(const Call& call) {
  One one;
  TRY_VOID(call.only({"wait"}));
  TRY(one.wait, call.number("wait", 0, 0, kLongestRunWait));
  TRY(one.key, key_of(call, kMaxKey));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only(
      {"definition", "file", "workflow", "version", "input", "job_id", "metadata", "priority", "context"}));
  TRY(one.source, read_source(call.request, body));
  TRY(one.wish, read_wish(body));
  return one;
}

int status_of(const model::Submitted& submitted) {
  return submitted.existing ? 200 : 201;
}

net::Headers place_of(const RunId& run) {
  return {{"Location", "/api/v1/runs/" + run.text()}};
}

void answer(Core& core, Call& call, const model::Submitted& submitted) {
  answer(call, core.queries.run(submitted.run), status_of(submitted), place_of(submitted.run));
}

using Answer = void (*)(Core& core, Call& call, const model::Submitted& submitted);

void start(const CorePtr& core, const CallPtr& call, One one, Answer shown) {
  const auto submitter = Submitter::open(*core, *call, std::move(one.source));
  if (!submitter) return;
  auto submission = submitter->submission(one.wish, one.key);
  if (!submission) return call->fail(submission.error());

  const Duration wait = Duration::seconds(static_cast<std::int64_t>(one.wait));
  submit(*core, std::move(*submission), call->actor, [core, call, shown, wait](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    const auto* submitted = std::get_if<model::Submitted>(&reply);
    if (wait.us > 0) {
      return answer_when_ended(core, call, submitted->run, wait, status_of(*submitted),
                               place_of(submitted->run));
    }
    core->workers.post([core, call, shown, submitted = *submitted] { shown(*core, *call, submitted); });
  });
}

// ---- One that an attempt starts

struct Child {
  model::ReportProgress alive;  // whether the attempt still holds its task
  One one;
};

// Another attempt of the task that starts the same gets the same run.
Result<Child> read_child(const Call& call) {
  TRY_VOID(call.only({}));
  Child child;
  TRY(child.alive.task, call.task_id());
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"token", "workflow", "version", "input", "job_id", "metadata", "priority", "key"}));
  TRY(child.alive.token, read_token(body));
  TRY(child.one.source, read_source(call.request, body));
  TRY(child.one.wish, read_wish(body));
  child.one.wish.metadata["started_by"] = child.alive.task.text();
  TRY(const std::string key, body.text("key", kMaxKey));
  child.one.key = "task." + child.alive.task.text() + '.' + net::percent_encode(child.one.source.workflow) +
                  '.' + net::percent_encode(key);
  if (child.one.key.size() > kMaxKey) {
    return fail(ErrorCode::invalid_request,
                "\"key\" is too long: with the task and the workflow it has more than " +
                    std::to_string(kMaxKey) + " bytes",
                "/key");
  }
  return child;
}

// ---- One of the workflow that the configuration names

Result<One> read_seed(const Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  One one;
  TRY(one.key, key_of(call, kMaxKey));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  one.source.workflow = core.services.submit_workflow;
  if (one.source.workflow.empty()) {
    return fail(ErrorCode::conflict,
                "this server does not say which workflow such tasks are for: set seed.submit_workflow");
  }
  if (const auto trace = TraceContext::parse(call.request.headers.find("traceparent").value_or("")))
    one.source.traceparent = trace->text();
  one.wish.input = body.members();
  return one;
}

void answer_seed(Core&, Call& call, const model::Submitted& submitted) {
  JsonText out;
  out.begin_object();
  out.key("task_id").string(submitted.run.text());
  out.key("status").string("submitted");
  out.end_object();
  call.json(200, out.take(), place_of(submitted.run));
}

// ---- Many

struct Many {
  RunSource source;
  std::vector<RequestBody> runs;
  std::string key;
};

Result<Many> read_many(const Call& call) {
  Many many;
  TRY(many.key, key_of(call, kMaxBatchKey));
  TRY_VOID(call.only({}));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"definition", "file", "workflow", "version", "context", "runs"}));
  TRY(many.source, read_source(call.request, body));
  const json::value* list = body.find("runs");
  if (list == nullptr || !list->is_array() || list->get_array().empty() ||
      list->get_array().size() > kMostRuns) {
    return fail(ErrorCode::invalid_request,
                "\"runs\" must be a list of 1 to " + std::to_string(kMostRuns) + " objects", "/runs");
  }
  many.runs.reserve(list->get_array().size());
  for (const json::value& entry : list->get_array()) {
    if (!entry.is_object())
      return fail(ErrorCode::invalid_request, "\"runs\" must be a list of objects", "/runs");
    many.runs.emplace_back(entry.get_object());
  }
  return many;
}

// The answer to a batch: complete when each of its runs is stored or refused. Commands answer on the loop's
// thread, or at once on the thread that sends them.
class Batch : public std::enable_shared_from_this<Batch> {
 public:
  Batch(CorePtr core, CallPtr call, std::size_t runs)
      : core_(std::move(core)), call_(std::move(call)), became_(runs), left_(runs) {}

  void became(std::size_t at, model::ReplyBody reply) {
    {
      const std::lock_guard lock(mutex_);
      became_[at] = std::move(reply);
      if (--left_ > 0) return;
    }
    // Writing a long answer must not keep the loop.
    if (became_.size() <= kAnsweredOnLoop) return answer();
    core_->workers.post([self = shared_from_this()] { self->answer(); });
  }

 private:
  void answer() {
    JsonText out(became_.size() * kBytesPerRun);
    out.begin_object().key("runs").begin_array();
    for (const model::ReplyBody& reply : became_) {
      out.begin_object();
      if (const auto* submitted = std::get_if<model::Submitted>(&reply)) {
        out.key("id").string(submitted->run.text());
        out.key("existing").boolean(submitted->existing);
      } else {
        const Error& error = std::get<Error>(reply);
        out.key("error").begin_object();
        out.key("code").string(info(error.code).name);
        out.key("message").string(error.message);
        out.key("pointer").string_or_null(error.where);
        out.end_object();
      }
      out.end_object();
    }
    out.end_array().end_object();
    call_->json(200, out.take());
  }

  CorePtr core_;
  CallPtr call_;
  std::mutex mutex_;  // guards what follows until nothing is left
  std::vector<model::ReplyBody> became_;
  std::size_t left_;
};

Result<Submission> submission_of(const Submitter& submitter, const RequestBody& run,
                                 const std::string& batch_key, std::size_t at) {
  TRY_VOID(run.only({"input", "job_id", "metadata", "priority", "idempotency_key"}));
  TRY(const RunWish wish, read_wish(run));
  TRY(std::string key, run.text("idempotency_key", kMaxKey));
  if (key.empty() && !batch_key.empty()) key = batch_key + '.' + std::to_string(at);
  return submitter.submission(wish, key);
}

}  // namespace

// The token is looked at first. Should the attempt lose its task in between, its successor gets the same run.
void start_child_run(const CorePtr& core, CallPtr call) {
  auto child = read_child(*call);
  if (!child) return call->fail(child.error());
  const std::string actor = "task:" + child->alive.task.text();
  call->actor = actor;
  core->runs.send(std::move(child->alive), actor,
                  [core, call, one = std::move(child->one)](model::ReplyBody reply) mutable {
                    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
                    core->workers.post([core, call, one = std::move(one)]() mutable {
                      start(core, call, std::move(one), answer);
                    });
                  });
}

void submit_run(const CorePtr& core, CallPtr call) {
  auto one = read_one(*call);
  if (!one) return call->fail(one.error());
  start(core, call, std::move(*one), answer);
}

// As it was asked for: the error of a missing file_path, too (docs/reference/api.md, "Other names").
void seed_submit_task(const CorePtr& core, CallPtr call) {
  auto one = read_seed(*core, *call);
  if (!one) return call->fail(one.error());
  if (!one->wish.input.contains("file_path")) {
    return call->respond(problem({ErrorCode::invalid_request, "file_path is required", "/file_path"},
                                 R"("error":"file_path is required")"));
  }
  start(core, call, std::move(*one), answer_seed);
}

void submit_batch(const CorePtr& core, CallPtr call) {
  auto many = read_many(*call);
  if (!many) return call->fail(many.error());
  const auto submitter = Submitter::open(*core, *call, std::move(many->source));
  if (!submitter) return;
  if (const auto takes = takes_runs(*core); !takes && many->key.empty()) return call->fail(takes.error());
  const model::Sender actor = call->actor;
  const auto batch = std::make_shared<Batch>(core, call, many->runs.size());
  for (std::size_t i = 0; i < many->runs.size(); ++i) {
    auto submission = submission_of(*submitter, many->runs[i], many->key, i);
    if (!submission) {
      Error error = std::move(submission).error();
      error.where.insert(0, "/runs/" + std::to_string(i));
      batch->became(i, std::move(error));  // one that is wrong keeps no other from being made
      continue;
    }
    submit(*core, std::move(*submission), actor,
           [batch, i](model::ReplyBody reply) { batch->became(i, std::move(reply)); });
  }
}

}  // namespace baton::api
