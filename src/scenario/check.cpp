#include "scenario/check.hpp"

#include <boost/json/serialize.hpp>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "scenario/reader.hpp"

namespace baton::scenario {
namespace {

namespace json = boost::json;

bool same(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_int64() && b.is_int64()) return a.get_int64() == b.get_int64();
    return a.to_number<double>() == b.to_number<double>();
  }
  if (const auto* list = a.if_array()) {
    const auto* other = b.if_array();
    if (other == nullptr || list->size() != other->size()) return false;
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (!same((*list)[i], (*other)[i])) return false;
    }
    return true;
  }
  if (const auto* map = a.if_object()) {
    const auto* other = b.if_object();
    if (other == nullptr || map->size() != other->size()) return false;
    for (const auto& [key, value] : *map) {
      const auto* there = other->if_contains(key);
      if (there == nullptr || !same(value, *there)) return false;
    }
    return true;
  }
  return a == b;
}

std::string shown(const json::value& value) {
  const std::string text = json::serialize(value);
  constexpr std::size_t kMost = 400;
  return printable(utf8_prefix(text, kMost)) + (text.size() > kMost ? "…" : "");
}

std::string was(const json::value& expected, const std::string& actual) {
  return "expected " + shown(expected) + ", but it is " + actual;
}

std::optional<TimeRange> range_of(const json::value& expected) {
  if (const auto* text = expected.if_string()) return read_range(*text);
  if (!expected.is_number()) return std::nullopt;
  const auto seconds = duration_from_seconds(expected.to_number<double>());
  if (!seconds) return std::nullopt;
  return TimeRange{*seconds, *seconds};
}

std::string time_difference(const json::value& expected, std::optional<Duration> actual) {
  if (expected.is_null()) return actual ? was(expected, to_string(*actual)) : "";
  const auto range = range_of(expected);
  if (!range) return shown(expected) + " is no time; write it like 3s or 3s..5s";
  if (!actual) return was(expected, "null");
  if (*actual >= range->from && *actual <= range->to) return "";
  return was(expected, to_string(*actual));
}

std::optional<Duration> since(const json::value& instant, WallTime begin) {
  const auto* text = instant.if_string();
  if (text == nullptr) return std::nullopt;
  const auto parsed = parse_rfc3339(*text);
  if (!parsed) return std::nullopt;
  return *parsed - begin;
}

// Every member that is expected.
std::string subset_difference(const json::object& expected, const json::value& actual, WallTime begin) {
  const auto* map = actual.if_object();
  if (map == nullptr) return was(expected, shown(actual));
  for (const auto& [key, value] : expected) {
    const auto* there = map->if_contains(key);
    const std::string why = difference(key, value, there != nullptr ? *there : json::value(), begin);
    if (!why.empty()) return "`" + std::string(key) + "`: " + why;
  }
  return "";
}

bool is_whole(std::string_view field) {
  return field == "result" || field == "input" || field == "metadata" || field == "dependencies";
}

class Checker {
 public:
  explicit Checker(const Evidence& evidence) : evidence_(evidence) {}

  std::vector<Failure> check(const Expectation& expected) {
    check_fields(expected.fields, evidence_.seen.run, "run " + expected.run, nullptr);
    for (const TaskExpectation& task : expected.tasks) check_task(task);
    if (!expected.events.empty()) check_events(expected.events, false);
    if (expected.history) check_events(*expected.history, true);
    for (const EventPattern& pattern : expected.never) check_never(pattern);
    return std::move(failures_);
  }

 private:
  void fail(const Place& place, std::string message, std::string suggestion = {}, std::string details = {}) {
    Failure failure{place, std::move(details)};
    failure.diagnostic.message = std::move(message);
    failure.diagnostic.suggestion = std::move(suggestion);
    failures_.push_back(std::move(failure));
  }

  void check_fields(const std::vector<FieldExpectation>& fields, const json::object& actual,
                    const std::string& subject, const json::value* given) {
    for (const FieldExpectation& field : fields) {
      const json::value* there = actual.if_contains(field.name);
      if (field.name == "given") there = given;
      if (there == nullptr) {
        unknown_field(field, actual, subject);
        continue;
      }
      const std::string why = difference(field.name, field.value, *there, evidence_.begin);
      if (!why.empty()) fail(field.place, "`" + field.name + "` of " + subject + ": " + why, reason(actual));
    }
  }

  // What else is worth knowing of something that is not as expected.
  static std::string reason(const json::object& actual) {
    const auto* error = actual.if_contains("error");
    if (error != nullptr && error->is_object()) return "its error: " + shown(*error);
    const auto* skip = actual.if_contains("skip_reason");
    if (skip != nullptr && skip->is_string()) return "it was skipped: " + std::string(skip->get_string());
    return "";
  }

  void unknown_field(const FieldExpectation& field, const json::object& actual, const std::string& subject) {
    if (field.name == "given") {
      fail(field.place, "`given` of " + subject + ": no attempt was started");
      return;
    }
    std::vector<std::string_view> names;
    for (const auto& [key, value] : actual) names.push_back(key);
    const bool instant = actual.contains(field.name + "_at");
    const std::string near = instant ? field.name + "_at" : std::string(nearest(field.name, names));
    fail(field.place, "there is no field \"" + printable(field.name) + "\" to be expected of " + subject,
         near.empty() ? "" : "did you mean `" + near + "`?");
  }

  void check_task(const TaskExpectation& expected) {
    const auto& tasks = evidence_.seen.tasks;
    const auto found = std::ranges::find(tasks, expected.task, &ObservedTask::name);
    if (found == tasks.end()) {
      std::vector<std::string_view> names;
      for (const ObservedTask& task : tasks) names.push_back(task.name);
      const std::string_view near = nearest(expected.task, names);
      fail(expected.place, "there is no task \"" + printable(expected.task) + "\"",
           near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
      return;
    }
    const auto given = evidence_.given.find(expected.task);
    check_fields(expected.fields, found->fields, expected.task,
                 given != evidence_.given.end() ? &given->second : nullptr);
  }

  void check_events(const std::vector<EventPattern>& patterns, bool exact) {
    const auto mismatch = compare(patterns, evidence_.events, exact);
    if (!mismatch) return;
    if (mismatch->pattern < patterns.size()) {
      const EventPattern& pattern = patterns[mismatch->pattern];
      fail(pattern.place,
           "this did not happen" + std::string(exact ? " next" : " in this order") + ": " + pattern.text, "",
           mismatch->details);
    } else {
      fail(patterns.empty() ? Place{} : patterns.back().place, "more happened than was expected", "",
           mismatch->details);
    }
  }

  void check_never(const EventPattern& pattern) {
    const auto found =
        std::ranges::find_if(evidence_.events, [&](const EventLine& line) { return matches(pattern, line); });
    if (found == evidence_.events.end()) return;
    fail(pattern.place, "this should never have happened: " + pattern.text, "",
         "    + " + found->text() + '\n');
  }

  const Evidence& evidence_;
  std::vector<Failure> failures_;
};

}  // namespace

std::string difference(std::string_view field, const json::value& expected, const json::value& actual,
                       WallTime begin) {
  if (field.ends_with("_at")) return time_difference(expected, since(actual, begin));
  if (field == "duration") {
    if (!actual.is_number()) return time_difference(expected, std::nullopt);
    const auto seconds = duration_from_seconds(actual.to_number<double>());
    return time_difference(expected, seconds ? std::optional(*seconds) : std::nullopt);
  }
  if (field == "message" && expected.is_string() && actual.is_string()) {
    const bool part = actual.get_string().find(std::string_view(expected.get_string())) != json::string::npos;
    return part ? "" : was(expected, shown(actual));
  }
  if (field == "error" && expected.is_string() && actual.is_object()) {
    return difference("type", expected,
                      actual.get_object().contains("type") ? actual.at("type") : json::value(), begin);
  }
  if (const auto* map = expected.if_object(); map != nullptr && !is_whole(field)) {
    return subset_difference(*map, actual, begin);
  }
  return same(expected, actual) ? "" : was(expected, shown(actual));
}

std::vector<Failure> check(const Expectation& expected, const Evidence& evidence) {
  return Checker(evidence).check(expected);
}

}  // namespace baton::scenario
