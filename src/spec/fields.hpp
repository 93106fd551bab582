// The one table of the fields of a definition. The parser, the published JSON Schema, the reference page, the
// help of `baton schema --field` and completion all read it; a field exists when it has a row here.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace baton::spec {

// What a value may look like. A field may allow several forms.
enum class Form : std::uint64_t {
  text = 1U << 0,           // a string; no ${{ }}
  prose = 1U << 1,          // a string for people; nothing in it is interpreted
  script = 1U << 2,         // a string; ${{ }} is an error that shows the env form
  name = 1U << 3,           // a name
  word = 1U << 4,           // one of Field::words
  boolean = 1U << 5,        //
  integer = 1U << 6,        // within minimum and maximum
  number = 1U << 7,         // within minimum and maximum
  duration = 1U << 8,       // 90s, 5m, 1h30m, or a number of seconds
  expression = 1U << 9,     // CEL without ${{ }}
  templated = 1U << 10,     // a string with ${{ }}
  value = 1U << 11,         // anything; its strings may hold ${{ }}
  arguments = 1U << 12,     // a list of strings, numbers and booleans with ${{ }}
  words_list = 1U << 13,    // a list of strings without ${{ }}
  names = 1U << 14,         // a list of names
  items = 1U << 15,         // a list, a map or a string that is one ${{ }}
  labels = 1U << 16,        // a map of strings
  environment = 1U << 17,   // a map of variables to strings, numbers and booleans with ${{ }}
  values = 1U << 18,        // a map of names to anything with ${{ }}
  inputs = 1U << 19,        // a map of names to input declarations
  steps = 1U << 20,         // a map of names to steps
  object = 1U << 21,        // a map with the fields of Field::shape
  any = 1U << 22,           // not looked into
  objects = 1U << 23,       // a list of maps with the fields of Field::shape
  word_list = 1U << 24,     // a list of Field::words
  cron = 1U << 25,          // a cron expression
  zone = 1U << 26,          // an IANA time zone
  instant = 1U << 27,       // an RFC 3339 instant
  list = 1U << 28,          // a list of anything; its strings may hold ${{ }}
  map = 1U << 29,           // a map of names to anything, without ${{ }}
  texts = 1U << 30,         // a list of at least `minimum` strings without ${{ }}
  url = 1ULL << 31,         // an http or https URL with ${{ }}
  headers = 1ULL << 32,     // a map of header fields to strings, numbers and booleans with ${{ }}
  parameters = 1ULL << 33,  // a map of names to strings, numbers, booleans or lists of them, with ${{ }}
  statuses = 1ULL << 34,    // an HTTP status (404), a class of them (4xx), or a list of these
  schema = 1ULL << 35,      // a JSON Schema
  integers = 1ULL << 40,    // a list of integers within minimum and maximum
  percent = 1ULL << 41,     // a whole percentage: 5%
  amounts = 1ULL << 50,     // a map of names to integers within minimum and maximum
  named = 1ULL << 36,       // a map of names to maps with the fields of Field::shape
};
struct Forms {
  std::uint64_t bits = 0;
  constexpr Forms(Form form) : bits(static_cast<std::uint64_t>(form)) {}  // NOLINT: a form is a set of one
  constexpr Forms(std::uint64_t b) : bits(b) {}                           // NOLINT
  constexpr bool has(Form form) const { return (bits & static_cast<std::uint64_t>(form)) != 0; }
};
constexpr Forms operator|(Form a, Form b) {
  return {static_cast<std::uint64_t>(a) | static_cast<std::uint64_t>(b)};
}

constexpr Forms operator|(Forms a, Form b) {
  return {a.bits | static_cast<std::uint64_t>(b)};
}

// The kinds of maps with fixed fields. `action` is what belongs to a step and is done by an executor as well
// (`fallback`, `wait.poll`): it has a kind, and those fields of a step that say how it is done.
enum class Shape : std::uint8_t {
  workflow,
  defaults,
  step,
  action,
  wait,
  child,
  branch,
  repeat,
  cleanup,  // an action, and when
  retry,
  jitter,
  timeout,
  rule,
  match,
  http,
  tls,
  celery,
  alerts,
  schedule,
  rollout,
  rollback,
  recovery,
  retention,
  target,
  operation,
  breaker,
  concurrency,
  rate_limit,
  cache,
  none
};
struct ShapeInfo {
  Shape shape;
  std::string_view title;    // its name in the JSON Schema
  std::string_view heading;  // its section of the reference page
};
// All of them but `none`, in the order of the reference page.
std::span<const ShapeInfo> all_shapes();

enum class Status : std::uint8_t {
  acts,   // does what it says
  later,  // checked, but nothing is done with it yet: a definition that has it cannot be run
};

// Which kinds of steps a step's field can act on.
namespace kinds {
inline constexpr std::uint8_t run = 1;
inline constexpr std::uint8_t exec = 2;
inline constexpr std::uint8_t set = 4;
inline constexpr std::uint8_t http = 8;
inline constexpr std::uint8_t wait = 16;
inline constexpr std::uint8_t switch_ = 32;
inline constexpr std::uint8_t workflow = 64;
inline constexpr std::uint8_t task = 128;
inline constexpr std::uint8_t process = run | exec;
inline constexpr std::uint8_t attempts = process | http | task;  // a worker does them
inline constexpr std::uint8_t all = attempts | set | wait | switch_ | workflow;
inline constexpr std::uint8_t mapped = all & ~switch_;  // may have `for_each`
}  // namespace kinds

constexpr bool is_action(Shape shape) {
  return shape == Shape::action || shape == Shape::cleanup;
}

struct Field {
  Shape owner;
  std::string_view name;
  Forms forms;
  std::string_view description;
  std::string_view default_text = {};  // as it would stand in a definition; empty = none
  std::string_view example = {};       // YAML
  Shape shape = Shape::none;           // of Form::object and Form::steps
  std::string_view words = {};         // of Form::word, separated by spaces
  double minimum = 0;
  double maximum = 0;
  bool required = false;
  bool is_kind = false;  // a step or action has exactly one of these
  std::uint8_t kinds = kinds::all;
  Status status = Status::acts;
  Shape also = Shape::none;    // another owner for which it means the same: an action has fields of a step
  bool reads_self = false;     // expressions in it, and below it, know `self`
  bool takes_secrets = false;  // `${{ secrets.NAME }}` may stand in it
};

std::span<const Field> all_fields();
// The fields of one shape in the table's order.
std::vector<const Field*> fields_of(Shape shape);
const Field* find_field(Shape shape, std::string_view name);
std::string_view title(Shape shape);
std::vector<std::string_view> split_words(std::string_view words);
// For messages and documentation: "a duration or a map".
std::string describe(const Field& field);

// A field's full path: "steps.*.retry.jitter".
struct FieldPath {
  std::string path;
  const Field* field;
};
// Every path, in the order of the table; `finally.*` and `defaults` repeat what they share by reference only.
std::vector<FieldPath> all_paths();

// The row for a path such as "steps.retry.jitter", "steps.*.retry.jitter" or "steps.build.retry.jitter".
const Field* field_at(std::string_view path);

}  // namespace baton::spec
