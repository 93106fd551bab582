#include "api/where.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.hpp"
#include "expr/ast.hpp"

namespace baton::api {
namespace {

using expr::Ast;
using expr::NodeKind;
using expr::Operator;
using model::RunStatus;

constexpr std::size_t kLongest = 4096;   // bytes
constexpr std::size_t kMostNames = 100;  // workflows or jobs: each is a query of its own
constexpr std::array<std::string_view, 4> kFields = {"status", "workflow", "job_id", "created_at"};
constexpr std::string_view kIndexed = "status, workflow, job_id and created_at";
// What runs have and lists do not look for.
constexpr std::array<std::string_view, 16> kOthers = {
    "id",       "version", "title",    "progress",   "input",
    "metadata", "labels",  "priority", "started_at", "ended_at",
    "duration", "error",   "counts",   "pause",      "recovery_attempts",
    "replay_of"};

// What is known of a run that fulfils a condition; a field that is not set may be anything.
struct Condition {
  std::optional<std::set<RunStatus>> statuses;
  std::optional<std::set<std::string>> workflows;
  std::optional<std::set<std::string>> job_ids;
  std::optional<WallTime> from;
  std::optional<WallTime> before;

  bool only_statuses() const { return statuses && !workflows && !job_ids && !from && !before; }
  bool only_workflows() const { return workflows && !statuses && !job_ids && !from && !before; }
  bool only_job_ids() const { return job_ids && !statuses && !workflows && !from && !before; }
};

std::set<RunStatus> complement(const std::set<RunStatus>& statuses) {
  std::set<RunStatus> others;
  for (int i = 0; i <= static_cast<int>(RunStatus::cancelled); ++i) {
    if (!statuses.contains(static_cast<RunStatus>(i))) others.insert(static_cast<RunStatus>(i));
  }
  return others;
}

template <typename T>
void intersect(std::optional<std::set<T>>& into, const std::optional<std::set<T>>& other) {
  if (!other) return;
  if (!into) {
    into = other;
    return;
  }
  std::erase_if(*into, [&](const T& value) { return !other->contains(value); });
}

void join(Condition& into, const Condition& other) {
  intersect(into.statuses, other.statuses);
  intersect(into.workflows, other.workflows);
  intersect(into.job_ids, other.job_ids);
  if (other.from) into.from = std::max(into.from.value_or(*other.from), *other.from);
  if (other.before) into.before = std::min(into.before.value_or(*other.before), *other.before);
}

class Compiler {
 public:
  Compiler(const Ast& ast, WallTime now) : ast_(ast) {
    variables_.set("now", expr::Value::timestamp(expr::timestamp_of(now)));
  }

  // Expressions are at most 200 deep.
  Result<Condition> compile(const expr::Node& node) const {
    switch (node.kind) {
      case NodeKind::logical_and:
        return conjunction(node);
      case NodeKind::logical_or:
        return disjunction(node);
      case NodeKind::negation:
        return negation(node);
      case NodeKind::binary:
        return comparison(node);
      default:
        return wrong(node, "this is no condition; write for instance status == \"failed\"");
    }
  }

 private:
  std::unexpected<Error> wrong(const expr::Node& node, std::string message) const {
    return fail(
        ErrorCode::invalid_request,
        "where: " + expr::render_caret(ast_.text, {node.offset, node.length, std::move(message), ""}));
  }

  Result<Condition> conjunction(const expr::Node& node) const {
    Condition all;
    for (const expr::NodeId id : node.args) {
      TRY(const Condition one, compile(ast_.node(id)));
      join(all, one);
    }
    return all;
  }

  Result<Condition> disjunction(const expr::Node& node) const {
    Condition any;
    for (const expr::NodeId id : node.args) {
      TRY(Condition one, compile(ast_.node(id)));
      if (id == node.args.front()) {
        any = std::move(one);
        if (!any.only_statuses() && !any.only_workflows() && !any.only_job_ids()) return mixed(node);
      } else if (any.only_statuses() && one.only_statuses()) {
        any.statuses->merge(*one.statuses);
      } else if (any.only_workflows() && one.only_workflows()) {
        any.workflows->merge(*one.workflows);
      } else if (any.only_job_ids() && one.only_job_ids()) {
        any.job_ids->merge(*one.job_ids);
      } else {
        return mixed(node);
      }
    }
    return any;
  }

  std::unexpected<Error> mixed(const expr::Node& node) const {
    return wrong(
        node, "`||` joins conditions on one field: status, workflow or job_id; make two lists of it instead");
  }

  Result<Condition> negation(const expr::Node& node) const {
    TRY(Condition inner, compile(ast_.node(node.args[0])));
    if (!inner.only_statuses())
      return wrong(node, "`!` needs a condition on status alone: no index finds what is not there");
    inner.statuses = complement(*inner.statuses);
    return inner;
  }

  static bool is_field(const expr::Node& node) {
    return node.kind == NodeKind::variable && node.slot == expr::kNoSlot && node.name != "now";
  }

  Result<Condition> comparison(const expr::Node& node) const {
    const expr::Node* field = &ast_.node(node.args[0]);
    const expr::Node* other = &ast_.node(node.args[1]);
    Operator op = node.op;
    if (!is_field(*field) && is_field(*other) && op != Operator::in) {
      std::swap(field, other);
      op = turned(op);
    }
    if (!is_field(*field)) {
      // A part of a field, such as labels.team, or nothing of a run at all.
      const std::string_view text = ast_.text_of(*field);
      for (const std::string_view known : kOthers) {
        if (text.starts_with(known)) return no_index(*field, known);
      }
      return wrong(*field, "expected a field: " + std::string(kIndexed));
    }
    if (std::ranges::find(kFields, std::string_view(field->name)) == kFields.end()) return unknown(*field);
    TRY(const expr::Value value, constant(*other));
    if (field->name == "created_at") return time(node, op, value, *other);
    if (op != Operator::equal && op != Operator::in &&
        !(op == Operator::not_equal && field->name == "status")) {
      return wrong(node, field->name == "status"
                             ? "status is compared by ==, != or in"
                             : field->name + " is compared by == or in: no index finds what is different");
    }
    TRY(const std::vector<std::string> names, texts(op, value, *other));
    Condition condition;
    if (field->name == "status") {
      TRY(condition.statuses, statuses(names, *other));
      if (op == Operator::not_equal) condition.statuses = complement(*condition.statuses);
    } else {
      (field->name == "workflow" ? condition.workflows : condition.job_ids)
          .emplace(names.begin(), names.end());
    }
    return condition;
  }

  std::unexpected<Error> no_index(const expr::Node& node, std::string_view name) const {
    return wrong(node,
                 "there is no index of " + std::string(name) + "; a filter may use " + std::string(kIndexed));
  }

  std::unexpected<Error> unknown(const expr::Node& node) const {
    if (std::ranges::find(kOthers, std::string_view(node.name)) != kOthers.end())
      return no_index(node, node.name);
    const std::string_view near = nearest(node.name, kFields);
    return wrong(node, near.empty()
                           ? "runs have no field " + node.name + "; a filter may use " + std::string(kIndexed)
                           : "unknown field " + node.name + ", did you mean " + std::string(near) + "?");
  }

  static Operator turned(Operator op) {
    switch (op) {
      case Operator::less:
        return Operator::greater;
      case Operator::less_equal:
        return Operator::greater_equal;
      case Operator::greater:
        return Operator::less;
      case Operator::greater_equal:
        return Operator::less_equal;
      default:
        return op;
    }
  }

  // The value of a part that looks at no run.
  Result<expr::Value> constant(const expr::Node& node) const {
    const auto part = expr::Expression::parse(ast_.text_of(node));
    if (!part) return wrong(node, part.error().front().message);
    for (const std::string& name : part->free_variables()) {
      if (name != "now") return wrong(node, "a field is compared with a value, not with another field");
    }
    auto value = expr::evaluate(*part, variables_, {}, calendar::ZoneTable::utc_only());
    if (!value) return wrong(node, value.error().message.substr(0, value.error().message.find('\n')));
    return std::move(*value);
  }

  Result<std::vector<std::string>> texts(Operator op, const expr::Value& value,
                                         const expr::Node& node) const {
    std::vector<std::string> out;
    if (op != Operator::in) {
      if (!value.is(expr::Kind::string)) return wrong(node, "expected a string");
      out.emplace_back(value.as_string());
      return out;
    }
    if (!value.is(expr::Kind::list)) return wrong(node, "expected a list of strings");
    if (value.size() > kMostNames)
      return wrong(node, "the list has more than " + std::to_string(kMostNames) + " values");
    for (std::size_t i = 0; i < value.size(); ++i) {
      const expr::Value item = value.at(i);
      if (!item.is(expr::Kind::string)) return wrong(node, "expected a list of strings");
      out.emplace_back(item.as_string());
    }
    return out;
  }

  Result<std::set<RunStatus>> statuses(const std::vector<std::string>& names, const expr::Node& node) const {
    std::set<RunStatus> out;
    for (const std::string& name : names) {
      const auto found = model::run_statuses(name);
      if (found.empty()) {
        constexpr std::array<std::string_view, 8> kNames = {"pending",    "running",   "paused", "cancelling",
                                                            "recovering", "completed", "failed", "cancelled"};
        const std::string_view near = nearest(name, kNames);
        return wrong(node, "unknown status \"" + printable(name) + '"' +
                               (near.empty() ? "" : ", did you mean \"" + std::string(near) + "\"?"));
      }
      out.insert(found.begin(), found.end());
    }
    return out;
  }

  Result<Condition> time(const expr::Node& node, Operator op, const expr::Value& value,
                         const expr::Node& other) const {
    std::int64_t us = 0;
    bool rest = false;  // of a microsecond
    if (value.is(expr::Kind::timestamp)) {
      const expr::Timestamp at = value.as_timestamp();
      us = at.seconds * 1'000'000 + at.nanos / 1000;
      rest = at.nanos % 1000 != 0;
    } else if (value.is(expr::Kind::string)) {
      const auto at = parse_rfc3339(value.as_string());
      if (!at) return wrong(other, "this is no instant: " + at.error().message);
      us = at->us;
    } else {
      return wrong(other, "expected an instant, such as \"2026-11-21T08:00:00Z\" or now - duration(\"24h\")");
    }
    Condition condition;
    switch (op) {
      case Operator::greater:
        condition.from = WallTime{us + 1};
        break;
      case Operator::greater_equal:
        condition.from = WallTime{us + (rest ? 1 : 0)};
        break;
      case Operator::less:
        condition.before = WallTime{us + (rest ? 1 : 0)};
        break;
      case Operator::less_equal:
        condition.before = WallTime{us + 1};
        break;
      default:
        return wrong(node, "created_at is compared by <, <=, > or >=");
    }
    return condition;
  }

  const Ast& ast_;
  expr::Variables variables_;
};

// Sets the values that both allow; false: there are none.
template <typename T>
bool narrow_to(std::vector<T>& into, const std::vector<T>& other) {
  if (other.empty()) return true;
  if (into.empty()) {
    into = other;
    return true;
  }
  std::erase_if(into, [&](const T& value) { return std::ranges::find(other, value) == other.end(); });
  return !into.empty();
}

}  // namespace

Result<Where> parse_where(std::string_view text, WallTime now) {
  const auto parsed = expr::Expression::parse(text, {.max_length = kLongest});
  if (!parsed) {
    return fail(ErrorCode::invalid_request, "where: " + expr::render_caret(text, parsed.error().front()));
  }
  const Ast& ast = parsed->ast();
  TRY(const Condition condition, Compiler(ast, now).compile(ast.node(ast.root)));
  Where where;
  const auto take = [&](const auto& set, auto& list) {
    if (!set) return;
    list.assign(set->begin(), set->end());
    where.nothing |= list.empty();
  };
  take(condition.statuses, where.filter.statuses);
  take(condition.workflows, where.filter.workflows);
  take(condition.job_ids, where.filter.job_ids);
  where.filter.created_from = condition.from;
  where.filter.created_before = condition.before;
  return where;
}

bool narrow(store::RunFilter& filter, const Where& where) {
  if (where.filter.created_from)
    filter.created_from =
        std::max(filter.created_from.value_or(*where.filter.created_from), *where.filter.created_from);
  if (where.filter.created_before)
    filter.created_before =
        std::min(filter.created_before.value_or(*where.filter.created_before), *where.filter.created_before);
  return !where.nothing && narrow_to(filter.statuses, where.filter.statuses) &&
         narrow_to(filter.workflows, where.filter.workflows) &&
         narrow_to(filter.job_ids, where.filter.job_ids);
}

}  // namespace baton::api
