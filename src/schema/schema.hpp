// A subset of JSON Schema (draft 7): what inputs, results and responses are declared with.
//
// Keywords: type (one or a list), enum, const, properties, required, additionalProperties, propertyNames,
// minProperties, maxProperties, items (one schema), minItems, maxItems, uniqueItems, minLength, maxLength,
// pattern (RE2's syntax, searched anywhere in the text), minimum, maximum, exclusiveMinimum,
// exclusiveMaximum, anyOf, oneOf, allOf, not, $ref within the schema (#, #/definitions/NAME, #/$defs/NAME).
// Annotations: title, description, default, examples, $schema, $id, $comment, deprecated, readOnly,
// writeOnly, and format, which is not checked. Any other keyword is an error: a rule that is written down
// must not be ignored.
//
// Lengths are counted in code points. 1 and 1.0 are the same number and both integers.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace baton::schema {

// `pointer` (RFC 6901) leads to the offending value, or to the offending part of the schema when it does not
// compile.
struct Problem {
  std::string pointer;
  std::string message;  // a sentence without a full stop: "must be at least 1, not 0"

  friend bool operator==(const Problem&, const Problem&) = default;
};
using Problems = std::vector<Problem>;

struct Program;

// What compiling may use; several schemas may share one.
struct Budget {
  std::size_t subschemas = 100'000;
  std::size_t pattern_size = 200'000;  // instructions of all compiled patterns (about 16 bytes each)
};

// A compiled schema. Immutable, cheap to copy, usable from any thread; the source value need not outlive it.
class Schema {
 public:
  // All problems of the schema at once. Limits: 64 levels, 64 KiB for a pattern, and the budget.
  static std::expected<Schema, Problems> compile(const boost::json::value& source);
  static std::expected<Schema, Problems> compile(const boost::json::value& source, Budget& budget);

  // What is wrong with `value`, in its order, at most `limit` problems; empty = it fits. Bounded: a value
  // nested deeper than 256 levels, or a check of more than 10 million steps (alternatives in alternatives),
  // is a problem itself.
  Problems validate(const boost::json::value& value, std::size_t limit = 100) const;

  // Pointers into the schema to keywords that are accepted but not checked (`format`).
  const std::vector<std::string>& unchecked() const;

 private:
  explicit Schema(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace baton::schema
