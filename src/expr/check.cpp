#include <algorithm>
#include <tuple>

#include "base/text.hpp"
#include "expr/ast.hpp"

namespace baton::expr {
namespace {

// More help nobody, and each costs a look at all names for its suggestion.
constexpr std::size_t kMostDiagnostics = 10;

bool is_number(Kind k) {
  return k == Kind::integer || k == Kind::unsigned_integer || k == Kind::number;
}

bool has_order(Kind k) {
  return is_number(k) || k == Kind::boolean || k == Kind::string || k == Kind::bytes ||
         k == Kind::timestamp || k == Kind::duration;
}

std::optional<Kind> arithmetic_result(Operator op, Kind a, Kind b) {
  if (a == b && is_number(a) && !(a == Kind::number && op == Operator::modulo)) return a;
  if (op == Operator::add) {
    if (a == b && (a == Kind::string || a == Kind::bytes || a == Kind::list || a == Kind::duration)) return a;
    if ((a == Kind::timestamp && b == Kind::duration) || (a == Kind::duration && b == Kind::timestamp))
      return Kind::timestamp;
  }
  if (op == Operator::subtract) {
    if (a == Kind::timestamp && b == Kind::timestamp) return Kind::duration;
    if ((a == Kind::timestamp || a == Kind::duration) && b == Kind::duration) return a;
  }
  return std::nullopt;
}

// The shape of a value that has one of two shapes.
Shape either(const Shape& a, const Shape& b) {
  if (a.kind() != b.kind()) return {};
  if (a.kind() == Kind::list) return Shape::list(either(a.element(), b.element()));
  if (a.kind() == Kind::map) return Shape::of(Kind::map);
  return a;
}

std::optional<Kind> single(Kinds kinds) {
  for (unsigned k = 0; k < 16; ++k)
    if (kinds == (1u << k)) return static_cast<Kind>(k);
  return std::nullopt;
}

class Checker {
 public:
  Checker(const Ast& ast, const Scope& scope)
      : ast_(ast), scope_(scope), slots_(static_cast<std::size_t>(ast.slots)) {}

  Checked run() {
    Checked checked;
    checked.shape = shape_of(ast_.root);
    std::sort(diagnostics_.begin(), diagnostics_.end(), [](const Diagnostic& a, const Diagnostic& b) {
      return std::tie(a.offset, a.message) < std::tie(b.offset, b.message);
    });
    checked.diagnostics = std::move(diagnostics_);
    return checked;
  }

 private:
  void report(std::size_t offset, std::size_t length, std::string message, std::string suggestion = {}) {
    if (scope_.open && uncertain_ > 0) return;
    if (diagnostics_.size() >= kMostDiagnostics) return;
    if (offset < read_until_) return;  // within a name that is already complained about
    diagnostics_.push_back({offset, length, std::move(message), std::move(suggestion)});
  }
  void report(const Node& n, std::string message) { report(n.offset, n.length, std::move(message)); }

  // A part that may not be evaluated, or whose failure may not matter.
  Shape maybe(NodeId id) {
    ++uncertain_;
    auto shape = shape_of(id);
    --uncertain_;
    return shape;
  }

  Shape expect(const Shape& shape, const Node& n, Kinds kinds, std::string_view what) {
    if (shape.kind() && !(kinds & only(*shape.kind())))
      report(n, std::string(what) + ", not " + std::string(name_of(shape)));
    return shape;
  }

  Shape shape_of(NodeId id) {
    const Node& n = ast_.node(id);
    switch (n.kind) {
      case NodeKind::literal:
        return Shape::of(n.value.kind());
      case NodeKind::variable:
        return variable(n);
      case NodeKind::select:
        return select(n);
      case NodeKind::has:
        field(n, shape_of(n.args[0]));
        return Shape::of(Kind::boolean);
      case NodeKind::index:
        return index(n);
      case NodeKind::call:
        return call(n);
      case NodeKind::list:
        return list(n);
      case NodeKind::map:
        return map(n);
      case NodeKind::conditional: {
        expect(shape_of(n.args[0]), ast_.node(n.args[0]), only(Kind::boolean),
               "the condition of ?: must be bool");
        const auto yes = maybe(n.args[1]);
        return either(yes, maybe(n.args[2]));
      }
      case NodeKind::logical_and:
      case NodeKind::logical_or:
        for (const NodeId arg : n.args) {
          ++uncertain_;
          expect(shape_of(arg), ast_.node(arg), only(Kind::boolean),
                 n.kind == NodeKind::logical_and ? "&& needs bool" : "|| needs bool");
          --uncertain_;
        }
        return Shape::of(Kind::boolean);
      case NodeKind::negation:
        expect(shape_of(n.args[0]), ast_.node(n.args[0]), only(Kind::boolean), "! needs bool");
        return Shape::of(Kind::boolean);
      case NodeKind::minus:
        return expect(shape_of(n.args[0]), ast_.node(n.args[0]), only(Kind::integer) | only(Kind::number),
                      "- needs int or double");
      case NodeKind::binary:
        return binary(n);
      case NodeKind::macro:
        return macro(n);
    }
    return {};
  }

  Shape variable(const Node& n) {
    if (n.slot != kNoSlot) return slots_[static_cast<std::size_t>(n.slot)];
    if (const auto known = scope_.variables.find(n.name); known != scope_.variables.end())
      return known->second;
    if (kind_from_name(n.name)) return Shape::of(Kind::type);
    if (scope_.open || diagnostics_.size() >= kMostDiagnostics) return {};
    std::vector<std::string_view> names;
    for (const auto& [name, shape] : scope_.variables) names.push_back(name);
    report(n.mark, n.name.size(), "unknown variable `" + n.name + "`", std::string(nearest(n.name, names)));
    return {};
  }

  Shape select(const Node& n) {
    if (!n.qualified.empty()) {
      if (const auto known = scope_.variables.find(n.qualified); known != scope_.variables.end())
        return known->second;
      if (kind_from_name(n.qualified)) return Shape::of(Kind::type);
    }
    return field(n, shape_of(n.args[0]));
  }

  // The shape of the field n.name of a value.
  Shape field(const Node& n, const Shape& of) {
    if (of.kind() && *of.kind() != Kind::map && !(n.kind == NodeKind::has && *of.kind() == Kind::null)) {
      report(n.mark, n.name.size(), std::string(name_of(of)) + " has no fields");
      return {};
    }
    return named_field(of, n.name, n.mark, false);
  }

  Shape named_field(const Shape& of, std::string_view name, std::size_t mark, bool indexed) {
    const auto* fields = of.fields();
    if (!fields) return of.element();
    if (const auto known = fields->find(name); known != fields->end()) return known->second;
    if (!of.closed()) return {};
    if (!indexed) {
      // `steps.my-step` is `steps.my` minus `step` to CEL.
      const auto written = std::string_view(ast_.text).substr(mark);
      for (auto it = fields->upper_bound(name); it != fields->end() && it->first.starts_with(name); ++it) {
        if (!written.starts_with(it->first)) continue;
        report(mark, it->first.size(), "a name with `-` or `.` in it is read with [ ]",
               "[\"" + it->first + "\"]");
        read_until_ = mark + it->first.size();
        return it->second;
      }
    }
    if (diagnostics_.size() >= kMostDiagnostics) return {};
    std::vector<std::string_view> names;
    for (const auto& [candidate, shape] : *fields) names.push_back(candidate);
    report(mark, indexed ? name.size() + 2 : name.size(), "there is no `" + std::string(name) + "` here",
           std::string(nearest(name, names)));
    return {};
  }

  Shape index(const Node& n) {
    const auto of = shape_of(n.args[0]);
    const auto key = shape_of(n.args[1]);
    const Node& key_node = ast_.node(n.args[1]);
    expect(of, ast_.node(n.args[0]), only(Kind::list) | only(Kind::map), "only a list or map has an index");
    if (of.kind() == Kind::list) {
      expect(key, key_node, only(Kind::integer) | only(Kind::unsigned_integer) | only(Kind::number),
             "a list is indexed by int");
      return of.element();
    }
    if (of.kind() != Kind::map) return {};
    if (const auto* name = constant_key(ast_, n))
      return named_field(of, name->as_string(), key_node.offset, true);
    return of.element();
  }

  Shape list(const Node& n) {
    Shape element;
    for (std::size_t i = 0; i < n.args.size(); ++i) {
      const auto item = shape_of(n.args[i]);
      element = i == 0 ? item : either(element, item);
    }
    return Shape::list(std::move(element));
  }

  Shape map(const Node& n) {
    std::map<std::string, Shape, std::less<>> fields;
    bool named = true;
    for (std::size_t i = 0; i < n.args.size(); i += 2) {
      const auto key = shape_of(n.args[i]);
      const Node& key_node = ast_.node(n.args[i]);
      expect(key, key_node,
             only(Kind::string) | only(Kind::integer) | only(Kind::unsigned_integer) | only(Kind::boolean),
             "the key of a map must be string, int, uint or bool");
      auto value = shape_of(n.args[i + 1]);
      if (key_node.kind == NodeKind::literal && key_node.value.is(Kind::string))
        fields.insert_or_assign(std::string(key_node.value.as_string()), std::move(value));
      else
        named = false;
    }
    return named ? Shape::object(std::move(fields), false) : Shape::of(Kind::map);
  }

  Shape binary(const Node& n) {
    const auto a = shape_of(n.args[0]);
    const auto b = shape_of(n.args[1]);
    const bool known = a.kind() && b.kind();
    const auto undefined = [&] {
      report(n, std::string(name_of(a)) + " " + std::string(symbol(n.op)) + " " + std::string(name_of(b)) +
                    " is not defined");
    };
    switch (n.op) {
      case Operator::equal:
      case Operator::not_equal:
        // Not a failure, but never what was meant. Anything may be compared with null.
        if (known && !scope_.open && *a.kind() != *b.kind() &&
            !(is_number(*a.kind()) && is_number(*b.kind())) && *a.kind() != Kind::null &&
            *b.kind() != Kind::null)
          report(n, std::string(name_of(a)) + " is never equal to " + std::string(name_of(b)));
        return Shape::of(Kind::boolean);
      case Operator::less:
      case Operator::less_equal:
      case Operator::greater:
      case Operator::greater_equal:
        if (known &&
            (*a.kind() == *b.kind() ? !has_order(*a.kind()) : !is_number(*a.kind()) || !is_number(*b.kind())))
          undefined();
        return Shape::of(Kind::boolean);
      case Operator::in:
        expect(b, ast_.node(n.args[1]), only(Kind::list) | only(Kind::map), "`in` needs a list or map");
        return Shape::of(Kind::boolean);
      default: {
        if (!known) return {};
        const auto result = arithmetic_result(n.op, *a.kind(), *b.kind());
        if (!result) {
          undefined();
          return {};
        }
        return *result == Kind::list ? either(a, b) : Shape::of(*result);
      }
    }
  }

  Shape call(const Node& n) {
    std::vector<Shape> args;
    for (const NodeId arg : n.args) args.push_back(shape_of(arg));
    if (!n.function) {
      std::vector<std::string_view> names;
      for (const auto& f : all_functions()) names.push_back(f.name);
      for (const auto* macro : {"all", "exists", "exists_one", "filter", "map", "has"})
        names.emplace_back(macro);
      std::string suggestion(nearest(n.name, names));
      std::string message =
          "there is no " + std::string(n.method ? "method" : "function") + " `" + n.name + "`";
      if (find_function(n.name, !n.method)) {
        message += n.method ? "; it is written `" + n.name + "(value)`"
                            : "; it is written `value." + n.name + "(…)`";
        suggestion.clear();
      }
      report(n.mark, n.name.size(), std::move(message), std::move(suggestion));
      return {};
    }
    const Function& f = *n.function;
    const std::size_t receiver = n.method ? 1 : 0;
    if (args.size() < f.min_args || args.size() > f.max_args) {
      const auto low = f.min_args - receiver;
      const auto high = f.max_args - receiver;
      report(n.mark, n.name.size(),
             "`" + n.name + "` takes " + std::to_string(low) +
                 (high > low ? " to " + std::to_string(high) : std::string()) +
                 (high == 1 ? " argument" : " arguments"));
      return {};
    }
    for (std::size_t i = 0; i < args.size(); ++i) {
      if (!args[i].kind() || (f.params[i] & only(*args[i].kind()))) continue;
      const std::string what =
          i < receiver ? "`" + n.name + "` is not defined for " : "`" + n.name + "` does not take ";
      report(ast_.node(n.args[i]), what + std::string(name_of(args[i])));
      return {};
    }
    check_literal(n);
    const auto kind = single(f.result);
    if (!kind) return {};
    return *kind == Kind::list ? Shape::list(Shape::of(Kind::string)) : Shape::of(*kind);
  }

  // A conversion of a literal that fails now will fail always.
  void check_literal(const Node& n) {
    if (n.args.size() != 1 || n.method) return;
    const Node& arg = ast_.node(n.args[0]);
    if (arg.kind != NodeKind::literal || n.function->name == "size") return;
    Budget budget(10'000, 1 << 20);
    const auto zones = calendar::ZoneTable();
    const auto result = n.function->call({.args = {&arg.value, 1}, .budget = budget, .zones = zones});
    if (!result && !result.error().final) report(arg, result.error().message);
  }

  Shape macro(const Node& n) {
    const auto range = shape_of(n.args[0]);
    expect(range, ast_.node(n.args[0]), only(Kind::list) | only(Kind::map),
           "`" + n.name + "` needs a list or map");
    Shape item;
    if (range.kind() == Kind::list) item = range.element();
    if (range.kind() == Kind::map && range.fields()) item = Shape::of(Kind::string);
    const auto slot = static_cast<std::size_t>(n.slot);
    slots_[slot] = item;
    const Node& body = ast_.node(n.args[1]);
    const auto first = maybe(n.args[1]);
    if (n.macro != Macro::map) {
      ++uncertain_;
      expect(first, body, only(Kind::boolean), "the condition of `" + n.name + "` must be bool");
      --uncertain_;
    }
    switch (n.macro) {
      case Macro::map:
        return Shape::list(first);
      case Macro::map_filter:
        return Shape::list(maybe(n.args[2]));
      case Macro::filter:
        return Shape::list(item);
      default:
        return Shape::of(Kind::boolean);
    }
  }

  const Ast& ast_;
  const Scope& scope_;
  std::vector<Shape> slots_;
  Diagnostics diagnostics_;
  int uncertain_ = 0;
  std::size_t read_until_ = 0;
};

}  // namespace

Checked check(const Expression& expression, const Scope& scope) {
  return Checker(expression.ast(), scope).run();
}

}  // namespace baton::expr
