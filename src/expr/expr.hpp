// Expressions in the Common Expression Language (CEL): parse, check, evaluate. Pure: no I/O, no clock, no
// global state, bounded in time and memory. The language as we have it stands in
// docs/reference/expressions.md; the specification is github.com/google/cel-spec.
//
// Thread safety: Expression, Scope and Variables are const once built; any thread may use them.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "calendar/zones.hpp"
#include "expr/diagnostic.hpp"
#include "expr/shape.hpp"
#include "expr/value.hpp"

namespace baton::expr {

struct Ast;
using Path = std::vector<std::string>;

struct ParseOptions {
  std::size_t max_length = std::size_t{64} * 1024;  // bytes
  std::size_t max_depth = 200;                      // of the syntax tree; not above 200
};

// A parsed expression. Immutable; a copy shares the syntax tree.
class Expression {
 public:
  // Fails with at least one diagnostic.
  static std::expected<Expression, Diagnostics> parse(std::string_view text,
                                                      const ParseOptions& options = {});

  const std::string& text() const;
  // The variables it reads, sorted. Names bound by macros and names of types are not among them.
  const std::vector<std::string>& free_variables() const;
  // What it reads of them, sorted: {"steps","x","result","y"} for `steps.x.result.y`, for
  // `steps["x"].result["y"]` and for `has(steps.x.result.y)`. A path ends before the first index that is not
  // a constant string, so its whole end value counts as read.
  const std::vector<Path>& paths() const;

  const Ast& ast() const { return *ast_; }

 private:
  explicit Expression(std::shared_ptr<const Ast> ast) : ast_(std::move(ast)) {}
  std::shared_ptr<const Ast> ast_;
};

// ---------------------------------------------------------------------------------------------- checking

struct Scope {
  std::map<std::string, Shape, std::less<>> variables;
  // An open scope may have more variables than it names: unknown ones are dyn. It reports only what fails
  // for certain, whatever the variables are; `baton eval` uses one.
  bool open = false;
};

struct Checked {
  Diagnostics diagnostics;  // empty: nothing found
  Shape shape;              // of the result
};

// Finds, ten at most, unknown variables, fields and functions (with the nearest name as a suggestion), wrong
// numbers of arguments, and operations that no value of the known shapes supports.
Checked check(const Expression& expression, const Scope& scope);

// -------------------------------------------------------------------------------------------- evaluation

// The values of the top-level names. A lazy one is asked for each time that its name is evaluated.
class Variables {
 public:
  using Loader = std::function<Result<Value>()>;

  Variables() = default;
  // Names that are not set here are looked up in `outer`, which must outlive this.
  explicit Variables(const Variables* outer) : outer_(outer) {}
  // One variable for each member, sharing the document. Fails if `object` is not a JSON object.
  static Result<Variables> from_json(std::shared_ptr<const boost::json::value> object);

  void set(std::string name, Value value);
  void set_lazy(std::string name, Loader loader);

  // nullopt: no such variable. An error of a loader ends the evaluation.
  Result<std::optional<Value>> find(std::string_view name) const;
  // Whether a name with a dot in it is set (CEL's qualified names); such a name wins over a field.
  bool has_dotted_names() const;
  // All names, sorted, for suggestions.
  std::vector<std::string_view> names() const;

 private:
  const Variables* outer_ = nullptr;
  bool dotted_ = false;
  std::map<std::string, std::variant<Value, Loader>, std::less<>> own_;
};

// What one evaluation may use. Deterministic: the same expression with the same values uses the same amount
// on every machine. One step is about 20 ns of work: one operation, 64 bytes of text looked at, …
struct Limits {
  std::uint64_t steps = 100'000;
  std::uint64_t bytes = std::uint64_t{16} << 20;  // of strings, lists and maps that the evaluation makes
};

// Fails with ErrorCode::expression; the message says what and where in the text, `where` is the byte offset.
// An error of a loader is handed through unchanged.
Result<Value> evaluate(const Expression& expression, const Variables& variables, const Limits& limits,
                       const calendar::ZoneTable& zones);

}  // namespace baton::expr
