// What steps pretend to do.
#include <boost/json/serialize.hpp>

#include "base/duration.hpp"
#include "scenario/reader.hpp"
#include "spec/read.hpp"

namespace baton::scenario {
namespace {

namespace json = boost::json;
using spec::NodeId;
using spec::NodeKind;

void set_default_message(model::Failure& failure) {
  if (!failure.message.empty()) return;
  if (failure.signal) {
    failure.message = "killed by signal " + std::to_string(*failure.signal);
  } else if (failure.exit_code) {
    failure.message = "exited with code " + std::to_string(*failure.exit_code);
  } else if (failure.status) {
    failure.message = "the answer has status " + std::to_string(*failure.status);
  } else {
    failure.message = "it failed";
  }
}

model::Failure read_error(Reader& reader, NodeId node) {
  model::Failure failure;
  if (!reader.tree.is(node, NodeKind::map)) {
    failure.type = reader.text(node, "error").value_or("");
    if (failure.type == model::error_type::kExit) failure.exit_code = 1;
    if (failure.type == model::error_type::kSignal) failure.signal = 9;
    set_default_message(failure);
    return failure;
  }
  reader.check_words(node, error_words(), "an error");
  if (const auto at = reader.member(node, "type")) failure.type = reader.text(*at, "type").value_or("");
  if (const auto at = reader.member(node, "message"))
    failure.message = reader.text(*at, "message").value_or("");
  if (const auto at = reader.member(node, "exit")) {
    if (const auto code = reader.integer(*at, "exit", 1, 255)) failure.exit_code = static_cast<int>(*code);
  }
  if (const auto at = reader.member(node, "signal")) {
    if (const auto signal = reader.integer(*at, "signal", 1, 64)) failure.signal = static_cast<int>(*signal);
  }
  if (const auto at = reader.member(node, "status")) {
    if (const auto status = reader.integer(*at, "status", 100, 599))
      failure.status = static_cast<int>(*status);
  }
  if (const auto at = reader.member(node, "retry_after"))
    failure.retry_after = reader.duration(*at, "retry_after");
  if (const auto at = reader.member(node, "never"))
    failure.never_retry = reader.boolean(*at, "never").value_or(false);
  if (failure.type.empty()) {
    failure.type = failure.signal   ? model::error_type::kSignal
                   : failure.status ? model::error_type::kHttp
                                    : model::error_type::kExit;
  }
  if (failure.type == model::error_type::kExit && !failure.exit_code) failure.exit_code = 1;
  set_default_message(failure);
  return failure;
}

// `result`, `stdout` and `error` of a map.
model::Outcome read_outcome(Reader& reader, NodeId node, bool& default_result) {
  model::Outcome outcome;
  default_result = true;
  if (const auto at = reader.member(node, "result")) {
    outcome.result = json::serialize(reader.tree.to_json(*at));
    default_result = false;
  }
  if (const auto at = reader.member(node, "stdout")) {
    if (!default_result) reader.findings.error(*at, "`stdout` and `result` exclude each other");
    if (const auto text = reader.text(*at, "stdout")) {
      outcome.result = json::serialize(json::object{{"stdout", *text}, {"exit_code", 0}});
      default_result = false;
    }
  }
  if (const auto at = reader.member(node, "error")) {
    outcome.kind = model::Outcome::Kind::failed;
    outcome.failure = read_error(reader, *at);
    default_result = false;
  }
  return outcome;
}

void read_on_stop(Reader& reader, NodeId node, simulate::Behaviour& behaviour) {
  using OnStop = simulate::Behaviour::OnStop;
  if (reader.tree.is(node, NodeKind::map)) {
    constexpr Word kWords[] = {{"takes", ""}, {"result", ""}, {"stdout", ""}, {"error", ""}};
    reader.check_words(node, kWords, "`on_stop`");
    bool default_result = false;
    behaviour.on_stop = OnStop::outcome;
    behaviour.stop_outcome = read_outcome(reader, node, default_result);
    if (default_result) behaviour.stop_outcome.result = "null";
    if (const auto at = reader.member(node, "takes")) {
      behaviour.stop_takes = reader.duration(*at, "takes").value_or(Duration{});
    }
    return;
  }
  const auto word = reader.text(node, "on_stop");
  if (!word || *word == "ends") return;
  if (*word == "ignores") {
    behaviour.on_stop = OnStop::ignores;
  } else {
    reader.wrong(node, "on_stop", "`ends`, `ignores` or a map");
  }
}

// A map with `steps`, or a list of such: each is added by itself.
void read_adds(Reader& reader, NodeId node, Mock& mock) {
  if (reader.tree.is(node, NodeKind::list)) {
    for (const NodeId item : reader.tree.items(node)) read_adds(reader, item, mock);
    return;
  }
  if (!reader.tree.is(node, NodeKind::map)) return reader.wrong(node, "adds", "a map with `steps`");
  Mock::Addition addition;
  json::value added = reader.tree.to_json(node);
  if (const auto at = reader.member(node, "detach")) {
    addition.detach = reader.boolean(*at, "detach").value_or(false);
    added.get_object().erase("detach");
  }
  addition.steps = json::serialize(added);
  mock.adds.push_back(std::move(addition));
}

Mock read_mock(Reader& reader, NodeId node) {
  Mock mock;
  if (!reader.check_words(node, mock_words(), "what a step does")) return mock;
  if (const auto at = reader.member(node, "takes")) {
    if (reader.tree.is(*at, NodeKind::string) && reader.tree.text(*at) == "forever") {
      mock.behaviour.takes.reset();
    } else {
      mock.behaviour.takes = reader.duration(*at, "takes").value_or(Duration{});
    }
  }
  mock.behaviour.outcome = read_outcome(reader, node, mock.default_result);
  if (const auto at = reader.member(node, "dies")) {
    mock.behaviour.kills_worker = reader.boolean(*at, "dies").value_or(false);
  }
  if (const auto at = reader.member(node, "resources"))
    mock.behaviour.resources = reader.names(*at, "resources");
  if (const auto at = reader.member(node, "adds")) read_adds(reader, *at, mock);
  if (const auto at = reader.member(node, "beats")) {
    mock.behaviour.beats = reader.duration(*at, "beats");
    if (mock.behaviour.beats && mock.behaviour.beats->us <= 0) reader.wrong(*at, "beats", "more than 0");
  }
  if (const auto at = reader.member(node, "on_stop")) read_on_stop(reader, *at, mock.behaviour);
  return mock;
}

}  // namespace

Result<Mock> read_mock(std::string_view json) {
  const auto tree = spec::read_json(json, spec::TreeLimits{});
  if (!tree) return fail(ErrorCode::invalid_request, tree.error().message);
  if (tree->root() == spec::kNoNode) return fail(ErrorCode::invalid_request, "the answer is empty");
  Reader reader(*tree, "answer");
  Mock mock = read_mock(reader, tree->root());
  if (reader.findings.has_errors())
    return fail(ErrorCode::invalid_request, reader.findings.take(reader.file).front().message);
  return mock;
}

Mocks read_mocks(Reader& reader, NodeId node) {
  Mocks mocks;
  if (!reader.tree.is(node, NodeKind::list)) return {read_mock(reader, node)};
  for (const NodeId item : reader.tree.items(node)) mocks.push_back(read_mock(reader, item));
  if (mocks.empty()) reader.findings.error(node, "the list is empty: it needs an entry for each start");
  return mocks;
}

}  // namespace baton::scenario
