#include "expr/arithmetic.hpp"

#include <type_traits>
#include <vector>

#include "expr/text.hpp"

namespace baton::expr {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

std::unexpected<Fault> no_overload(Operator op, const Value& a, const Value& b) {
  const auto is_number = [](Kind k) {
    return k == Kind::integer || k == Kind::unsigned_integer || k == Kind::number;
  };
  std::string message = std::string(kind_name(a.kind())) + " " + std::string(symbol(op)) + " " +
                        std::string(kind_name(b.kind())) + " is not defined";
  if (is_number(a.kind()) && is_number(b.kind()))
    message += "; convert one side with int(), uint() or double()";
  else if (op == Operator::add && (a.is(Kind::string) || b.is(Kind::string)))
    message += "; convert with string()";
  return fault(std::move(message));
}

std::unexpected<Fault> overflow(std::string_view kind) {
  return fault(std::string(kind) + " overflow");
}

template <typename T>
Outcome integers(Operator op, T a, T b, std::string_view name, Value (*make)(T)) {
  T result{};
  switch (op) {
    case Operator::add:
      if (__builtin_add_overflow(a, b, &result)) return overflow(name);
      return make(result);
    case Operator::subtract:
      if (__builtin_sub_overflow(a, b, &result)) return overflow(name);
      return make(result);
    case Operator::multiply:
      if (__builtin_mul_overflow(a, b, &result)) return overflow(name);
      return make(result);
    default:
      break;
  }
  if (b == 0) return fault(op == Operator::divide ? "division by zero" : "modulus by zero");
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) {  // the one quotient that does not fit; its remainder would trap too
      if (op == Operator::modulo && a != INT64_MIN) return make(0);
      if (a == INT64_MIN) return overflow(name);
      return make(-a);
    }
  }
  return make(op == Operator::divide ? a / b : a % b);
}

Outcome doubles(Operator op, double a, double b) {
  switch (op) {
    case Operator::add:
      return Value::number(a + b);
    case Operator::subtract:
      return Value::number(a - b);
    case Operator::multiply:
      return Value::number(a * b);
    default:
      return Value::number(a / b);
  }
}

Outcome join_lists(const Value& a, const Value& b, Budget& budget) {
  const auto n = a.size() + b.size();
  if (!budget.make(n * sizeof(Value)) || !budget.spend(n)) return budget.exhausted();
  std::vector<Value> items;
  items.reserve(n);
  for (std::size_t i = 0; i < a.size(); ++i) items.push_back(a.at(i));
  for (std::size_t i = 0; i < b.size(); ++i) items.push_back(b.at(i));
  return Value::list(std::move(items));
}

Outcome shift(Timestamp t, std::int64_t nanos) {
  // A duration is below ±292 years, so neither sum overflows.
  std::int64_t rest = t.nanos + nanos % kNanosPerSecond;
  std::int64_t seconds = t.seconds + nanos / kNanosPerSecond;
  if (rest < 0) {
    rest += kNanosPerSecond;
    --seconds;
  } else if (rest >= kNanosPerSecond) {
    rest -= kNanosPerSecond;
    ++seconds;
  }
  const Timestamp result{seconds, static_cast<std::int32_t>(rest)};
  if (!in_range(result)) return fault("the timestamp is out of range: years 1 to 9999");
  return Value::timestamp(result);
}

Outcome difference(Timestamp a, Timestamp b) {
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(a.seconds - b.seconds, kNanosPerSecond, &nanos) ||
      __builtin_add_overflow(nanos, std::int64_t{a.nanos} - b.nanos, &nanos))
    return fault("the duration is out of range: ±292 years");
  return Value::duration(nanos);
}

Outcome add(const Value& a, const Value& b, Budget& budget) {
  switch (a.kind()) {
    case Kind::string:
    case Kind::bytes: {
      if (a.kind() != b.kind()) break;
      if (!budget.make(a.size() + b.size())) return budget.exhausted();
      const bool text = a.is(Kind::string);
      std::string out(text ? a.as_string() : a.as_bytes());
      out.append(text ? b.as_string() : b.as_bytes());
      return text ? Value::string(std::move(out)) : Value::bytes(std::move(out));
    }
    case Kind::list:
      if (b.is(Kind::list)) return join_lists(a, b, budget);
      break;
    case Kind::timestamp:
      if (b.is(Kind::duration)) return shift(a.as_timestamp(), b.as_duration());
      break;
    case Kind::duration: {
      if (b.is(Kind::timestamp)) return shift(b.as_timestamp(), a.as_duration());
      std::int64_t nanos = 0;
      if (!b.is(Kind::duration)) break;
      if (__builtin_add_overflow(a.as_duration(), b.as_duration(), &nanos)) return overflow("duration");
      return Value::duration(nanos);
    }
    default:
      break;
  }
  return no_overload(Operator::add, a, b);
}

Outcome subtract(const Value& a, const Value& b) {
  if (a.is(Kind::timestamp) && b.is(Kind::timestamp)) return difference(a.as_timestamp(), b.as_timestamp());
  if (b.is(Kind::duration) && (a.is(Kind::timestamp) || a.is(Kind::duration))) {
    std::int64_t nanos = 0;
    const std::int64_t from = a.is(Kind::duration) ? a.as_duration() : 0;
    if (__builtin_sub_overflow(from, b.as_duration(), &nanos)) return overflow("duration");
    return a.is(Kind::duration) ? Outcome(Value::duration(nanos)) : shift(a.as_timestamp(), nanos);
  }
  return no_overload(Operator::subtract, a, b);
}

}  // namespace

Outcome arithmetic(Operator op, const Value& a, const Value& b, Budget& budget) {
  if (a.kind() == b.kind()) {
    if (a.is(Kind::integer)) return integers(op, a.as_integer(), b.as_integer(), "int", &Value::integer);
    if (a.is(Kind::unsigned_integer))
      return integers(op, a.as_unsigned(), b.as_unsigned(), "uint", &Value::unsigned_integer);
    if (a.is(Kind::number) && op != Operator::modulo) return doubles(op, a.as_number(), b.as_number());
  }
  if (op == Operator::add) return add(a, b, budget);
  if (op == Operator::subtract) return subtract(a, b);
  return no_overload(op, a, b);
}

Outcome negate(const Value& v) {
  if (v.is(Kind::number)) return Value::number(-v.as_number());
  if (v.is(Kind::integer)) {
    if (v.as_integer() == INT64_MIN) return overflow("int");
    return Value::integer(-v.as_integer());
  }
  return fault("-" + std::string(kind_name(v.kind())) + " is not defined");
}

}  // namespace baton::expr
