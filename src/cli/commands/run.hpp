// What the commands that make runs share.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "cli/program.hpp"
#include "cli/session.hpp"
#include "cli/signals.hpp"
#include "cli/submission.hpp"
#include "cli/view/run_model.hpp"
#include "cli/watcher.hpp"

namespace baton::cli {

// The flags about a run's input and the like.
void add_submission(CLI::App& command, SubmissionOptions& submission);

// The idempotency key makes it one run, however often it is asked for.
Result<boost::json::object> submit(const client::Submission& submission, Session& session, Purpose purpose);

// The run's id, or the whole run for programs; the exit code.
int show_id(const Context& context, const boost::json::object& run);

// Of the definition that the run was made with.
Result<RunModel> model_of(const std::string& id, Session& session, Purpose purpose);

// Shows the run, which `model` follows, until it has ended, then what came of it, and goes on for the runs of
// others that this process took in. Closes the session; the exit code.
int show_until_end(const Context& context, Session& session, Signals& signals, const std::string& id,
                   RunModel model, const WatchOptions& options = {});

}  // namespace baton::cli
