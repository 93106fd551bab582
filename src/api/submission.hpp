// What a request to make runs says: where they come from, and what each of them gets.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/call.hpp"
#include "api/core.hpp"
#include "api/request_body.hpp"

namespace baton::api {

inline constexpr std::size_t kMaxKey = 256;  // bytes of an idempotency key

// What the runs of one request have in common.
struct RunSource {
  std::string definition;
  std::string file;
  std::string workflow;  // instead of a definition
  std::optional<std::uint32_t> version;
  std::string workdir;
  boost::json::object env;  // the submitter's environment
  std::string traceparent;  // that it came with; "" = none
};

// What one of them gets.
struct RunWish {
  boost::json::object input;
  std::string job_id;
  boost::json::object metadata;
  std::optional<std::int64_t> priority;
};

// Members definition, file, workflow, version, context.
Result<RunSource> read_source(const net::Request& request, const RequestBody& body);
// Members input, job_id, metadata, priority.
Result<RunWish> read_wish(const RequestBody& body);

// POST /api/v1/runs/batch (submit.cpp; the other handlers stand in handlers.hpp).
void submit_batch(const CorePtr& core, CallPtr call);

// Whether new runs are taken; why not.
Status takes_runs(const Core& core);

// A run to be made. One with a key that would be refused may have been made already, when it was not: then
// the command asks for that one only, and `refused` is what is wrong with it otherwise.
struct Submission {
  model::SubmitRun command;
  std::optional<Error> refused;
};

// `done` gets Submitted or an Error, on the loop's thread or at once.
void submit(Core& core, Submission submission, const model::Sender& sender,
            std::function<void(model::ReplyBody)> done);

// Makes the submissions of one request. Where steps run and with which environment is the word of who may
// write definitions: others' variables are for the expressions that read them, and steps get the server's
// own.
class Submitter {
 public:
  // The workflow that the source names or is; nullopt: the call was answered with what is wrong.
  static std::optional<Submitter> open(Core& core, Call& call, RunSource source);

  Result<Submission> submission(const RunWish& wish, std::string_view idempotency_key) const;

 private:
  Result<model::SubmitRun> command(const RunWish& wish) const;
  Submitter(Core& core, RunSource source, std::shared_ptr<const model::Workflow> workflow, bool own_env);
  std::string context_of(const boost::json::object& metadata) const;

  Core& core_;
  RunSource source_;
  std::shared_ptr<const model::Workflow> workflow_;
  bool own_env_;         // steps get the submitter's environment
  std::string context_;  // of a run without metadata
};

}  // namespace baton::api
