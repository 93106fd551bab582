#include "expr/evaluate.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "expr/arithmetic.hpp"
#include "expr/library.hpp"

namespace baton::expr {
namespace {

// What a fault says about a missing name: the nearest one that there is, if anything is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const auto best = nearest(word, candidates);
  return best.empty() ? std::string() : ", did you mean `" + std::string(best) + "`?";
}

std::string key_text(const Value& key) {
  Budget budget(1000, 1000);
  std::string text;
  if (!append_text(text, key, budget)) return "…";
  const auto prefix = utf8_prefix(text, 60);
  return printable(prefix) + (prefix.size() < text.size() ? "…" : "");
}

class Evaluation {
 public:
  Evaluation(const Ast& ast, const Variables& variables, Budget& budget, const calendar::ZoneTable& zones)
      : ast_(ast),
        variables_(variables),
        budget_(budget),
        zones_(zones),
        slots_(static_cast<std::size_t>(ast.slots)) {}

  Outcome run(NodeId id) {
    const Node& n = ast_.node(id);
    if (!budget_.spend(1)) return placed(budget_.exhausted(), n);
    auto result = step(n);
    if (!result && !result.error().placed) place(result.error(), n);
    return result;
  }

 private:
  static void place(Fault& f, const Node& n) {
    f.offset = n.offset;
    f.length = n.length;
    f.placed = true;
  }
  static std::unexpected<Fault> placed(std::unexpected<Fault> f, const Node& n) {
    place(f.error(), n);
    return f;
  }

  Outcome step(const Node& n) {
    switch (n.kind) {
      case NodeKind::literal:
        return n.value;
      case NodeKind::variable:
        return variable(n);
      case NodeKind::select:
        return select(n);
      case NodeKind::has:
        return has(n);
      case NodeKind::index:
        return index(n);
      case NodeKind::call:
        return call(n);
      case NodeKind::list:
        return list(n);
      case NodeKind::map:
        return map(n);
      case NodeKind::conditional:
        return conditional(n);
      case NodeKind::logical_and:
        return logical(n, false);
      case NodeKind::logical_or:
        return logical(n, true);
      case NodeKind::negation: {
        auto v = run(n.args[0]);
        if (!v) return v;
        if (!v->is(Kind::boolean)) return fault("!" + std::string(kind_name(v->kind())) + " is not defined");
        return Value::boolean(!v->as_boolean());
      }
      case NodeKind::minus: {
        auto v = run(n.args[0]);
        if (!v) return v;
        return negate(*v);
      }
      case NodeKind::binary:
        return binary(n);
      case NodeKind::macro:
        return macro(n);
    }
    return fault("unknown kind of expression");
  }

  // --------------------------------------------------------------------------------------------- names

  Outcome lookup(std::string_view name, bool& found) {
    auto value = variables_.find(name);
    found = true;
    if (!value)
      return std::unexpected(Fault{.message = value.error().message,
                                   .final = true,
                                   .loader_error = std::make_shared<const Error>(std::move(value.error()))});
    if (*value) return std::move(**value);
    found = false;
    return Value();
  }

  Outcome variable(const Node& n) {
    if (n.slot != kNoSlot) return slots_[static_cast<std::size_t>(n.slot)];
    bool found = false;
    auto value = lookup(n.name, found);
    if (found) return value;
    if (const auto kind = kind_from_name(n.name)) return Value::type(*kind);
    const auto names = variables_.names();
    if (!budget_.spend(10 * (1 + names.size()))) return budget_.exhausted();
    return fault("unknown variable `" + n.name + "`" + did_you_mean(n.name, names));
  }

  Outcome select(const Node& n) {
    if (!n.qualified.empty()) {
      if (variables_.has_dotted_names()) {
        bool found = false;
        auto value = lookup(n.qualified, found);
        if (found) return value;
      }
      if (const auto kind = kind_from_name(n.qualified)) return Value::type(*kind);
    }
    auto of = run(n.args[0]);
    if (!of) return of;
    if (of->is(Kind::null))
      return fault("cannot read the field `" + n.name + "` of null; has() tells whether it is there");
    if (!of->is(Kind::map))
      return fault("cannot read the field `" + n.name + "` of " + std::string(kind_name(of->kind())));
    if (auto value = of->find(n.name)) return *std::move(value);
    return missing_key(*of, Value::string(n.name));
  }

  std::unexpected<Fault> missing_key(const Value& map, const Value& key) {
    std::string hint;
    if (key.is(Kind::string) && key.size() <= 64 && map.size() <= 200) {
      std::vector<Value> held;  // the views point into them
      std::vector<std::string_view> names;
      for (std::size_t i = 0; i < map.size(); ++i) {
        held.push_back(map.key_at(i));
        if (held.back().is(Kind::string) && held.back().size() <= 64)
          names.push_back(held.back().as_string());
      }
      if (!budget_.spend(10 * (1 + held.size()))) return budget_.exhausted();
      hint = did_you_mean(key.as_string(), names);
    }
    return fault("no such key: " + (key.is(Kind::string) ? "'" + key_text(key) + "'" : key_text(key)) + hint);
  }

  Outcome has(const Node& n) {
    auto of = run(n.args[0]);
    if (!of) return of;
    // The result of a step that was skipped or failed is null: it has no fields.
    if (of->is(Kind::null)) return Value::boolean(false);
    if (!of->is(Kind::map))
      return fault("has() needs a map, " + std::string(kind_name(of->kind())) + " has no fields");
    return Value::boolean(of->find(n.name).has_value());
  }

  Outcome index(const Node& n) {
    auto of = run(n.args[0]);
    if (!of) return of;
    auto key = run(n.args[1]);
    if (!key) return key;
    if (of->is(Kind::map)) {
      if (!budget_.spend(key->is(Kind::string) ? 1 + key->size() / 64 : 1)) return budget_.exhausted();
      if (auto value = of->find(*key)) return *std::move(value);
      return missing_key(*of, *key);
    }
    if (!of->is(Kind::list)) return fault("cannot index " + std::string(kind_name(of->kind())));
    const Value zero = Value::integer(0);
    if (!compare(*key, zero))
      return fault("a list is indexed by int, not by " + std::string(kind_name(key->kind())));
    const Value end = Value::unsigned_integer(of->size());
    const bool inside = compare(*key, zero) != Order::less && compare(*key, end) == Order::less;
    if (!inside)
      return fault("index out of range: " + key_text(*key) + ", the list has " + std::to_string(of->size()) +
                   " items");
    const auto place = key->is(Kind::integer)            ? static_cast<std::size_t>(key->as_integer())
                       : key->is(Kind::unsigned_integer) ? static_cast<std::size_t>(key->as_unsigned())
                                                         : static_cast<std::size_t>(key->as_number());
    if (key->is(Kind::number) && static_cast<double>(place) != key->as_number())
      return fault("a list is indexed by whole numbers, not by " + key_text(*key));
    return of->at(place);
  }

  // --------------------------------------------------------------------------------------- composition

  Outcome list(const Node& n) {
    if (!budget_.make(n.args.size() * sizeof(Value))) return budget_.exhausted();
    std::vector<Value> items;
    items.reserve(n.args.size());
    for (const NodeId arg : n.args) {
      auto v = run(arg);
      if (!v) return v;
      items.push_back(std::move(*v));
    }
    return Value::list(std::move(items));
  }

  Outcome map(const Node& n) {
    if (!budget_.make(n.args.size() * sizeof(Value))) return budget_.exhausted();
    std::vector<std::pair<Value, Value>> entries;
    entries.reserve(n.args.size() / 2);
    for (std::size_t i = 0; i < n.args.size(); i += 2) {
      auto key = run(n.args[i]);
      if (!key) return key;
      if (!key->is(Kind::string) && !key->is(Kind::boolean) && !key->is(Kind::integer) &&
          !key->is(Kind::unsigned_integer))
        return fault("the key of a map is a string, int, uint or bool, not " +
                     std::string(kind_name(key->kind())));
      auto value = run(n.args[i + 1]);
      if (!value) return value;
      entries.emplace_back(std::move(*key), std::move(*value));
    }
    const auto built = Value::map(std::move(entries));
    return check_keys(built);
  }

  // Each key must lead to its own entry.
  Outcome check_keys(const Value& map) {
    std::vector<Value> keys;
    for (std::size_t i = 0; i < map.size(); ++i) keys.push_back(map.key_at(i));
    const auto less = [](const Value& a, const Value& b) {
      const auto order = compare(a, b);
      return order ? *order == Order::less : a.kind() < b.kind();
    };
    std::sort(keys.begin(), keys.end(), less);
    const auto twice = std::adjacent_find(keys.begin(), keys.end(), [](const Value& a, const Value& b) {
      return compare(a, b) == Order::equal;
    });
    if (twice != keys.end()) return fault("the key " + key_text(*twice) + " stands twice in the map");
    return map;
  }

  Outcome conditional(const Node& n) {
    auto condition = run(n.args[0]);
    if (!condition) return condition;
    if (!condition->is(Kind::boolean))
      return fault("the condition of ?: is " + std::string(kind_name(condition->kind())) + ", not bool");
    return run(n.args[condition->as_boolean() ? 1 : 2]);
  }

  // `deciding` is true for ||, false for &&: a part with that value decides, whatever fails beside it.
  Outcome logical(const Node& n, bool deciding) {
    std::optional<Fault> first_fault;
    for (const NodeId arg : n.args) {
      auto v = run(arg);
      if (v && v->is(Kind::boolean)) {
        if (v->as_boolean() == deciding) return v;
        continue;
      }
      if (!v && v.error().final) return v;
      if (first_fault) continue;
      if (v) {
        v = fault(std::string(deciding ? "||" : "&&") + " needs bool, not " +
                  std::string(kind_name(v->kind())));
        place(v.error(), ast_.node(arg));
      }
      first_fault = std::move(v.error());
    }
    if (first_fault) return std::unexpected(std::move(*first_fault));
    return Value::boolean(!deciding);
  }

  // ----------------------------------------------------------------------------------------- operators

  Outcome binary(const Node& n) {
    auto a = run(n.args[0]);
    if (!a) return a;
    auto b = run(n.args[1]);
    if (!b) return b;
    switch (n.op) {
      case Operator::equal:
      case Operator::not_equal: {
        const auto same = equal(*a, *b, budget_.steps());
        if (!same) return budget_.exhausted();
        return Value::boolean(*same == (n.op == Operator::equal));
      }
      case Operator::less:
      case Operator::less_equal:
      case Operator::greater:
      case Operator::greater_equal:
        return ordered(n.op, *a, *b);
      case Operator::in:
        return in(*a, *b);
      default:
        return arithmetic(n.op, *a, *b, budget_);
    }
  }

  Outcome ordered(Operator op, const Value& a, const Value& b) {
    if (a.is(Kind::string) && b.is(Kind::string) && !budget_.spend_text(std::min(a.size(), b.size())))
      return budget_.exhausted();
    const auto order = compare(a, b);
    if (!order)
      return fault(std::string(kind_name(a.kind())) + " " + std::string(symbol(op)) + " " +
                   std::string(kind_name(b.kind())) + " is not defined");
    switch (op) {
      case Operator::less:
        return Value::boolean(*order == Order::less);
      case Operator::less_equal:
        return Value::boolean(*order == Order::less || *order == Order::equal);
      case Operator::greater:
        return Value::boolean(*order == Order::greater);
      default:
        return Value::boolean(*order == Order::greater || *order == Order::equal);
    }
  }

  Outcome in(const Value& item, const Value& container) {
    if (container.is(Kind::map)) return Value::boolean(container.find(item).has_value());
    if (!container.is(Kind::list))
      return fault("`in` needs a list or map on its right side, not " +
                   std::string(kind_name(container.kind())));
    for (std::size_t i = 0; i < container.size(); ++i) {
      const auto same = equal(item, container.at(i), budget_.steps());
      if (!same) return budget_.exhausted();
      if (*same) return Value::boolean(true);
    }
    return Value::boolean(false);
  }

  Outcome call(const Node& n) {
    Value args[Function::kMaxArgs];
    const bool fits =
        n.function && n.args.size() >= n.function->min_args && n.args.size() <= n.function->max_args;
    if (!fits) return no_function(n);
    for (std::size_t i = 0; i < n.args.size(); ++i) {
      auto v = run(n.args[i]);
      if (!v) return v;
      args[i] = std::move(*v);
    }
    for (std::size_t i = 0; i < n.args.size(); ++i)
      if (!(n.function->params[i] & only(args[i].kind()))) return no_overload(n, {args, n.args.size()});
    return n.function->call(
        {.args = {args, n.args.size()}, .budget = budget_, .zones = zones_, .pattern = n.pattern.get()});
  }

  static std::unexpected<Fault> no_function(const Node& n) {
    if (n.function)
      return fault("`" + n.name + "` does not take " + std::to_string(n.args.size() - n.method) +
                   " arguments");
    return fault("there is no " + std::string(n.method ? "method" : "function") + " `" + n.name + "`");
  }
  static std::unexpected<Fault> no_overload(const Node& n, std::span<const Value> args) {
    std::string text = n.name + "(";
    for (std::size_t i = n.method ? 1 : 0; i < args.size(); ++i)
      text.append(i > (n.method ? 1u : 0u) ? ", " : "").append(kind_name(args[i].kind()));
    text = (n.method ? std::string(kind_name(args[0].kind())) + "." : "") + text + ")";
    return fault(text + " is not defined");
  }

  // -------------------------------------------------------------------------------------------- macros

  Outcome macro(const Node& n) {
    auto range = run(n.args[0]);
    if (!range) return range;
    if (!range->is(Kind::list) && !range->is(Kind::map))
      return fault("`" + n.name + "` needs a list or map, not " + std::string(kind_name(range->kind())));
    const bool builds = n.macro == Macro::map || n.macro == Macro::map_filter || n.macro == Macro::filter;
    std::vector<Value> items;
    std::optional<Fault> first_fault;
    std::size_t matched = 0;
    Value& variable = slots_[static_cast<std::size_t>(n.slot)];
    for (std::size_t i = 0; i < range->size(); ++i) {
      variable = range->is(Kind::list) ? range->at(i) : range->key_at(i);
      auto v = run(n.args[1]);
      if (!v && v.error().final) return v;
      if (n.macro != Macro::map && v && !v->is(Kind::boolean)) {
        v = fault("the condition of `" + n.name + "` is " + std::string(kind_name(v->kind())) + ", not bool");
        place(v.error(), ast_.node(n.args[1]));
      }
      if (!v) {
        // As in a chain of && and ||, a decisive item counts more than one that fails.
        if (n.macro != Macro::all && n.macro != Macro::exists) return v;
        if (!first_fault) first_fault = std::move(v.error());
        continue;
      }
      switch (n.macro) {
        case Macro::all:
          if (!v->as_boolean()) return v;
          continue;
        case Macro::exists:
          if (v->as_boolean()) return v;
          continue;
        case Macro::exists_one:
          matched += v->as_boolean();
          continue;
        case Macro::filter:
          if (!v->as_boolean()) continue;
          v = variable;
          break;
        case Macro::map_filter:
          if (!v->as_boolean()) continue;
          v = run(n.args[2]);
          if (!v) return v;
          break;
        case Macro::map:
          break;
      }
      if (!budget_.make(sizeof(Value))) return budget_.exhausted();
      items.push_back(std::move(*v));
    }
    variable = Value();
    if (builds) return Value::list(std::move(items));
    if (first_fault) return std::unexpected(std::move(*first_fault));
    return Value::boolean(n.macro == Macro::all || (n.macro == Macro::exists_one && matched == 1));
  }

  const Ast& ast_;
  const Variables& variables_;
  Budget& budget_;
  const calendar::ZoneTable& zones_;
  std::vector<Value> slots_;
};

}  // namespace

Outcome evaluate(const Ast& ast, const Variables& variables, Budget& budget,
                 const calendar::ZoneTable& zones) {
  return Evaluation(ast, variables, budget, zones).run(ast.root);
}

Error to_error(const Fault& fault, std::string_view text) {
  if (fault.loader_error) return *fault.loader_error;
  std::string message = fault.message;
  if (fault.placed && fault.length < text.size()) {
    const auto part = text.substr(fault.offset, fault.length);
    const auto prefix = utf8_prefix(part, 80);
    message += " (in `" + printable(prefix) + (prefix.size() < part.size() ? "…" : "") + "`)";
  }
  return {ErrorCode::expression, std::move(message), std::to_string(fault.offset)};
}

Result<Value> evaluate(const Expression& expression, const Variables& variables, const Limits& limits,
                       const calendar::ZoneTable& zones) {
  Budget budget(limits.steps, limits.bytes);
  auto result = evaluate(expression.ast(), variables, budget, zones);
  if (!result) return fail(to_error(result.error(), expression.text()));
  return std::move(*result);
}

}  // namespace baton::expr
