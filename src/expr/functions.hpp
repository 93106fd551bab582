// The functions of the language: one table, read by parser, checker and evaluator.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "calendar/zones.hpp"
#include "expr/budget.hpp"
#include "expr/value.hpp"

namespace baton::expr {

// A set of kinds.
using Kinds = std::uint16_t;
constexpr Kinds only(Kind k) {
  return static_cast<Kinds>(1u << static_cast<unsigned>(k));
}
constexpr Kinds kAnyKind = 0xFFFF;

struct Call {
  std::span<const Value> args;  // the receiver first; their kinds fit the function's row
  Budget& budget;
  const calendar::ZoneTable& zones;
  const re2::RE2* pattern = nullptr;  // matches(): compiled ahead
};

struct Function {
  enum class Style : std::uint8_t { global, method, both };
  static constexpr std::size_t kMaxArgs = 4;

  std::string_view name;  // "size"; "strings.quote" is written with its namespace
  Style style = Style::global;
  std::uint8_t min_args = 1;  // with the receiver
  std::uint8_t max_args = 1;
  Kinds params[kMaxArgs] = {};
  Kinds result = kAnyKind;  // one kind, or any
  Outcome (*call)(const Call&) = nullptr;
};

// By name, for a call with (`method`) or without a receiver; nullptr if there is none.
const Function* find_function(std::string_view name, bool method);
std::span<const Function> all_functions();

// matches(): bounded in memory, quiet, nullptr with `error` filled for a bad pattern.
std::shared_ptr<const re2::RE2> compile_pattern(std::string_view pattern, std::string& error);

}  // namespace baton::expr
