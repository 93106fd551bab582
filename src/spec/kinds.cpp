#include "spec/kinds.hpp"

#include <array>
#include <optional>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "spec/check.hpp"

namespace baton::spec {
namespace {

bool has_template(std::string_view text) {
  return text.find("${{") != std::string_view::npos;
}

// A literal is checked here; what a template gives is checked when the step is ready.
void check_literals(const Tree& tree, NodeId wait, bool polls, Findings& findings) {
  if (const auto span = tree.find(wait, "for"); span && tree.is(span->value, NodeKind::string)) {
    const std::string_view text = tree.text(span->value);
    if (const auto d = parse_duration(text); !has_template(text) && !d)
      findings.error(span->value, d.error().message);
  }
  if (const auto until = tree.find(wait, "until"); until && !polls && !tree.is_collection(until->value)) {
    const std::string_view text = tree.text(until->value);
    if (!has_template(text) && !parse_rfc3339(text)) {
      findings.error(until->value,
                     "`until` must be an instant, not \"" + printable(utf8_prefix(text, 60)) + "\"",
                     "write it as 2026-12-24T18:00:00+01:00; a condition needs a `poll` beside it");
    }
  }
  if (const auto signal = tree.find(wait, "signal"); signal && !tree.is_collection(signal->value)) {
    const std::string_view text = tree.text(signal->value);
    if (!has_template(text) && !is_name(text)) {
      findings.error(signal->value, "\"" + printable(utf8_prefix(text, 60)) + "\" is not a name of a signal",
                     "names have letters, digits, `.`, `_` and `-`");
    }
  }
  if (const auto question = tree.find(wait, "approval");
      question && tree.is(question->value, NodeKind::boolean) && !tree.boolean(question->value)) {
    findings.error(question->value, "`approval` is a question, or true");
  }
  for (const std::string_view name : {"every", "timeout"}) {
    const auto span = tree.find(wait, name);
    if (!span) continue;
    const auto d = read_duration(tree, span->value);
    if (d && d->us <= 0) findings.error(span->value, "`" + std::string(name) + "` must be more than 0");
  }
}

// Whether the branch has only fields that there are: others are reported, and what they were meant to be is
// not missing as well.
bool knows_all(const Tree& tree, NodeId branch) {
  for (const Member m : tree.members(branch)) {
    const std::string_view name = tree.text(m.key);
    if (name != "when" && name != "goto" && name != "else") return false;
  }
  return true;
}

}  // namespace

void check_wait(const Tree& tree, Member field, Findings& findings) {
  const NodeId wait = field.value;
  if (!tree.is(wait, NodeKind::map)) return;
  const bool polls = tree.find(wait, "poll").has_value();
  std::optional<Member> first;
  for (const Member m : tree.members(wait)) {
    const std::string_view name = tree.text(m.key);
    const bool waits = name == "for" || name == "signal" || name == "approval" || name == "poll" ||
                       (name == "until" && !polls);
    if (!waits) continue;
    if (!first) {
      first = m;
    } else {
      findings.error(
          m.key, "a step waits for one thing: it has `" + std::string(tree.text(first->key)) + "` already");
    }
  }
  if (!first) {
    findings.error(field.key, "it is missing what to wait for",
                   "one of `for`, `until`, `signal`, `approval`, `poll` is needed");
    return;
  }
  const std::string_view what = tree.text(first->key);
  if (const auto every = tree.find(wait, "every"); every && !polls)
    findings.error(every->key, "`every` needs `poll`");
  if (const auto timeout = tree.find(wait, "timeout"); timeout && (what == "for" || what == "until")) {
    findings.error(timeout->key,
                   "`timeout` has no effect beside `" + std::string(what) + "`: its end is known");
  }
  check_literals(tree, wait, polls, findings);
}

void check_branches(const Tree& tree, Member field, Findings& findings) {
  const NodeId list = field.value;
  if (!tree.is(list, NodeKind::list)) return;
  const std::size_t count = tree.count(list);
  if (count == 0) findings.error(list, "`switch` needs at least one branch", "write - {when: …, goto: …}");
  std::size_t place = 0;
  for (const NodeId branch : tree.items(list)) {
    ++place;
    if (!tree.is(branch, NodeKind::map)) continue;
    const auto when = tree.find(branch, "when");
    const auto target = tree.find(branch, "goto");
    const auto otherwise = tree.find(branch, "else");
    if (otherwise) {
      if (when || target)
        findings.error(otherwise->key, "`else` stands alone: it has no `when` and no `goto`");
      if (place < count) findings.error(otherwise->key, "branches after `else` are never taken");
    } else if (knows_all(tree, branch)) {
      if (!when) findings.error(branch, "the branch has no `when`", "write `else: …` for the last one");
      if (!target) findings.error(branch, "the branch has no `goto`");
    }
    const auto steps = otherwise ? otherwise : target;
    if (steps && tree.is(steps->value, NodeKind::list) && tree.count(steps->value) == 0)
      findings.error(steps->value, "the branch goes nowhere", "name a step");
  }
}

std::vector<NodeId> targets_of(const Tree& tree, NodeId branch) {
  std::vector<NodeId> targets;
  if (!tree.is(branch, NodeKind::map)) return targets;
  for (const std::string_view name : {"goto", "else"}) {
    const auto steps = tree.find(branch, name);
    if (!steps) continue;
    if (tree.is(steps->value, NodeKind::list)) {
      for (const NodeId item : tree.items(steps->value)) {
        if (!tree.is_collection(item) && !tree.is(item, NodeKind::null)) targets.push_back(item);
      }
    } else if (!tree.is_collection(steps->value) && !tree.is(steps->value, NodeKind::null)) {
      targets.push_back(steps->value);
    }
  }
  return targets;
}

}  // namespace baton::spec
