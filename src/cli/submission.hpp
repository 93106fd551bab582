// From the words on the command line to a submission.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/console.hpp"
#include "client/client.hpp"
#include "model/definition.hpp"

namespace baton::cli {

struct SubmissionOptions {
  std::string file;                 // "-" is standard input
  std::vector<std::string> inputs;  // NAME=VALUE
  std::string input_file;
  std::vector<std::string> metadata;  // NAME=VALUE
  std::string job_id;
  std::optional<int> priority;
  bool remote = false;          // to a server: neither folder nor environment of this machine go with it
  bool preflight = false;       // the health checks of its targets instead of the workflow itself
  std::string idempotency_key;  // "" = a random one: a repetition after a lost answer makes no second run
};

struct Prepared {
  client::Submission submission;
  std::shared_ptr<const model::Workflow> workflow;
};

// Words NAME=VALUE by what the workflow declares. A name that it does not declare stays a text: who checks
// the inputs says what was probably meant. usage, invalid_input.
Result<boost::json::object> typed_inputs(const std::vector<std::string>& words,
                                         const model::Workflow& workflow);

// "NAME", "NAME@3": the workflow and its version, 0 = the one that counts. usage: it is neither.
struct WorkflowReference {
  std::string name;
  std::uint32_t version = 0;
};
Result<WorkflowReference> read_reference(const std::string& text);

// As prepare(), of a version that is stored: `stored` as the API gives it. The run's steps begin in
// `workdir`,
// "" = in the run's scratch folder.
Result<Prepared> prepare_stored(const SubmissionOptions& options, const boost::json::object& stored,
                                const std::string& workdir);

// Reads and checks everything that can be checked here, so that a mistake needs no owner. Prints diagnostics
// of the definition itself; the error then has an empty message.
Result<Prepared> prepare(const SubmissionOptions& options, Console& console);

}  // namespace baton::cli
