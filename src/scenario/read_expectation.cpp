// What is expected.
#include <algorithm>

#include "base/duration.hpp"
#include "scenario/reader.hpp"

namespace baton::scenario {
namespace {

using spec::Member;
using spec::NodeId;
using spec::NodeKind;

bool is_own_word(std::string_view key) {
  return std::ranges::find(expect_words(), key, &Word::name) != expect_words().end();
}

std::vector<EventPattern> read_patterns(Reader& reader, NodeId node, std::string_view what) {
  std::vector<EventPattern> patterns;
  if (!reader.tree.is(node, NodeKind::list)) {
    reader.wrong(node, what, "a list of lines like \"3s attempt.ended fetch 1 failed\"");
    return patterns;
  }
  for (const NodeId item : reader.tree.items(node)) {
    const auto line = reader.text(item, what);
    if (!line) continue;
    auto pattern = read_pattern(*line);
    if (!pattern) {
      reader.findings.error(item, "an event needs at least its name",
                            "write it like: 3s attempt.ended fetch");
      continue;
    }
    pattern->place = reader.place(item);
    patterns.push_back(std::move(*pattern));
  }
  return patterns;
}

std::vector<FieldExpectation> read_fields(Reader& reader, NodeId map, bool skip_own) {
  std::vector<FieldExpectation> fields;
  for (const Member m : reader.tree.members(map)) {
    const std::string_view key = reader.tree.text(m.key);
    if (skip_own && is_own_word(key)) continue;
    fields.push_back({std::string(key), reader.tree.to_json(m.value), reader.place(m.key)});
  }
  return fields;
}

TaskExpectation read_task(Reader& reader, Member m) {
  TaskExpectation task{std::string(reader.tree.text(m.key)), {}, reader.place(m.key)};
  if (reader.tree.is(m.value, NodeKind::map)) {
    task.fields = read_fields(reader, m.value, false);
  } else if (const auto status = reader.text(m.value, task.task)) {
    task.fields.push_back({"status", boost::json::value(*status), reader.place(m.value)});
  }
  return task;
}

}  // namespace

std::optional<TimeRange> read_range(std::string_view text) {
  const std::size_t dots = text.find("..");
  const auto from = parse_duration(text.substr(0, dots));
  if (!from) return std::nullopt;
  if (dots == std::string_view::npos) return TimeRange{*from, *from};
  const auto to = parse_duration(text.substr(dots + 2));
  if (!to || *to < *from) return std::nullopt;
  return TimeRange{*from, *to};
}

std::optional<EventPattern> read_pattern(std::string_view text) {
  EventPattern pattern;
  pattern.text = text;
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    if (pattern.words.empty() && !pattern.from) {
      if (const auto range = read_range(word)) {
        pattern.from = range->from;
        pattern.to = range->to;
        continue;
      }
    }
    pattern.words.emplace_back(word);
  }
  if (pattern.words.empty()) return std::nullopt;
  return pattern;
}

Expectation read_expectation(Reader& reader, NodeId node, std::string run) {
  Expectation expected;
  expected.run = std::move(run);
  expected.place = reader.place(node);
  if (!reader.tree.is(node, NodeKind::map)) {
    if (const auto status = reader.text(node, "expect")) {
      expected.fields.push_back({"status", boost::json::value(*status), reader.place(node)});
    }
    return expected;
  }
  expected.fields = read_fields(reader, node, true);
  if (const auto steps = reader.member(node, "steps")) {
    if (!reader.tree.is(*steps, NodeKind::map))
      reader.wrong(*steps, "steps", "a map of tasks to what is expected");
    for (const Member m : reader.tree.members(*steps)) expected.tasks.push_back(read_task(reader, m));
  }
  if (const auto at = reader.member(node, "events")) expected.events = read_patterns(reader, *at, "events");
  if (const auto at = reader.member(node, "history"))
    expected.history = read_patterns(reader, *at, "history");
  if (const auto at = reader.member(node, "never")) expected.never = read_patterns(reader, *at, "never");
  return expected;
}

std::vector<Expectation> read_expectations(Reader& reader, NodeId node) {
  std::vector<Expectation> all{read_expectation(reader, node, kMainRun)};
  if (const auto runs = reader.member(node, "runs")) {
    if (!reader.tree.is(*runs, NodeKind::map))
      reader.wrong(*runs, "runs", "a map of runs to what is expected");
    for (const Member m : reader.tree.members(*runs)) {
      all.push_back(read_expectation(reader, m.value, std::string(reader.tree.text(m.key))));
    }
  }
  return all;
}

}  // namespace baton::scenario
