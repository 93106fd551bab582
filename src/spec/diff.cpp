#include "spec/diff.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <set>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "spec/check.hpp"
#include "spec/fields.hpp"

namespace baton::spec {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 5> kKinds = {"added", "removed", "changed", "renamed", "moved"};

// --- values in one way of writing ---

class Normal {
 public:
  explicit Normal(const Tree& tree) : tree_(tree) {}

  json::value object(NodeId map, Shape shape) const {
    if (!tree_.is(map, NodeKind::map)) return tree_.to_json(map);
    json::object out;
    for (const Member m : tree_.members(map)) {
      const Field* field = find_field(shape, tree_.text(m.key));
      out[tree_.text(m.key)] = field == nullptr ? tree_.to_json(m.value) : value(m.value, *field);
    }
    return out;
  }

 private:
  json::value value(NodeId node, const Field& field) const {
    if (field.forms.has(Form::duration) && !tree_.is_collection(node) && field.shape != Shape::wait) {
      if (const auto duration = read_duration(tree_, node)) return json::value(to_string(*duration));
    }
    const bool texts = field.forms.has(Form::environment) || field.forms.has(Form::labels);
    if (texts || field.forms.has(Form::names)) {
      // Numbers and booleans stand for their own text here.
      if (tree_.is(node, NodeKind::map)) {
        json::object out;
        for (const Member m : tree_.members(node)) out[tree_.text(m.key)] = text(m.value);
        return out;
      }
      std::set<std::string_view> names;
      for (const NodeId item : tree_.items(node)) names.insert(tree_.text(item));
      if (!tree_.is_collection(node)) names.insert(tree_.text(node));  // one is a list of one
      json::array out;
      for (const std::string_view name : names) out.emplace_back(json::string_view(name.data(), name.size()));
      return out;
    }
    if (field.forms.has(Form::object) && tree_.is(node, NodeKind::map)) return object(node, field.shape);
    // A span alone is short for `{for: …}`.
    if (field.shape == Shape::wait && !tree_.is_collection(node)) {
      const Field* span = find_field(Shape::wait, "for");
      return json::object{{"for", value(node, *span)}};
    }
    // So is the name of a workflow for `{name: …}`.
    if (field.shape == Shape::child && !tree_.is_collection(node)) return json::object{{"name", text(node)}};
    if (field.forms.has(Form::objects)) {
      json::array out;
      for (const NodeId item : tree_.items(node)) out.push_back(object(item, field.shape));
      return out;
    }
    if (field.forms.has(Form::steps) || field.forms.has(Form::named)) {
      json::object out;
      for (const Member m : tree_.members(node)) out[tree_.text(m.key)] = object(m.value, field.shape);
      return out;
    }
    if (field.forms.has(Form::expression) && !tree_.is_collection(node)) return text(node);
    return tree_.to_json(node);
  }

  json::value text(NodeId node) const {
    const std::string_view text = tree_.text(node);
    return json::value(json::string_view(text.data(), text.size()));
  }

  const Tree& tree_;
};

// --- renamed steps ---

struct Step {
  std::string name;
  json::value body;
  bool finally = false;
};

std::vector<Step> steps_of(json::object& workflow) {
  std::vector<Step> steps;
  for (const char* phase : {"steps", "finally"}) {
    json::value* map = workflow.if_contains(phase);
    if (map == nullptr || !map->is_object()) continue;
    for (auto& member : map->get_object()) {
      steps.push_back(
          {std::string(member.key()), std::move(member.value()), phase == std::string_view("finally")});
    }
  }
  return steps;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// steps.old and steps["old"] in expressions.
void replace_references(std::string& text, const std::string& from, const std::string& to) {
  const std::string dotted = "steps." + from;
  for (std::size_t at = text.find(dotted); at != std::string::npos; at = text.find(dotted, at + 1)) {
    const std::size_t end = at + dotted.size();
    if ((end < text.size() && is_word(text[end])) ||
        (at > 0 && (is_word(text[at - 1]) || text[at - 1] == '.')))
      continue;
    text.replace(at, dotted.size(), "steps." + to);
  }
  const std::string quoted = "steps[\"" + from + "\"]";
  for (std::size_t at = text.find(quoted); at != std::string::npos; at = text.find(quoted, at + 1)) {
    text.replace(at, quoted.size(), "steps[\"" + to + "\"]");
  }
}

// Recursion is bounded by the tree's depth.
void rename_in(json::value& value, const std::string& from, const std::string& to) {
  if (json::string* text = value.if_string()) {
    std::string copy(*text);
    replace_references(copy, from, to);
    if (copy != std::string_view(*text)) value = copy;
  } else if (json::array* array = value.if_array()) {
    for (json::value& item : *array) rename_in(item, from, to);
  } else if (json::object* object = value.if_object()) {
    for (auto& member : *object) rename_in(member.value(), from, to);
  }
}

void rename_name(json::object& object, const char* field, const std::string& from, const std::string& to) {
  json::value* names = object.if_contains(field);
  if (names == nullptr || !names->is_array()) return;
  for (json::value& name : names->get_array()) {
    if (name.is_string() && std::string_view(name.get_string()) == from) name = to;
  }
  std::ranges::sort(names->get_array(), {}, [](const json::value& v) { return json::serialize(v); });
}

// In `needs`, and where a switch goes.
void rename_names(json::value& body, const std::string& from, const std::string& to) {
  json::object* object = body.if_object();
  if (object == nullptr) return;
  rename_name(*object, "needs", from, to);
  json::value* branches = object->if_contains("switch");
  if (branches == nullptr || !branches->is_array()) return;
  for (json::value& branch : branches->get_array()) {
    if (!branch.is_object()) continue;
    rename_name(branch.get_object(), "goto", from, to);
    rename_name(branch.get_object(), "else", from, to);
  }
}

// Whether the path is that of the steps that a branch of a switch goes to.
bool is_goto(std::string_view path) {
  return path.starts_with("switch[") && (path.ends_with(".goto") || path.ends_with(".else"));
}

// What a `wait` is for: its first field that says so.
std::string_view waits_for(const json::value& wait) {
  for (const std::string_view what : {"poll", "for", "until", "signal", "approval"}) {
    if (wait.get_object().if_contains(what) != nullptr) return what;
  }
  return "";
}

std::string signature(const Step& step) {
  json::value body = step.body;
  if (json::object* object = body.if_object()) object->erase("needs");
  // Members in the order of the alphabet.
  std::map<std::string, std::string> members;
  if (const json::object* object = body.if_object()) {
    for (const auto& m : *object) members[std::string(m.key())] = json::serialize(m.value());
  }
  std::string out = step.finally ? "f" : "s";
  for (const auto& [key, value] : members) out += "\n" + key + ": " + value;
  return out;
}

// --- the comparison ---

class Comparison {
 public:
  Comparison(json::object before, json::object after)
      : before_(std::move(before)),
        after_(std::move(after)),
        old_steps_(steps_of(before_)),
        new_steps_(steps_of(after_)) {}

  std::vector<Change> run() {
    find_renamed();
    workflow();
    steps();
    return std::move(changes_);
  }

 private:
  void add(Change::Kind kind, std::string subject, std::string path, json::value before, json::value after) {
    changes_.push_back({kind, std::move(subject), std::move(path), std::move(before), std::move(after)});
  }

  // Each step that is only in the one and has its twin only in the other. One renamed step may make others
  // equal that refer to it, so it is tried again as long as something is found.
  void find_renamed() {
    constexpr int kRounds = 8;
    for (int round = 0; round < kRounds; ++round) {
      std::set<std::string_view> old_names;
      std::set<std::string_view> new_names;
      for (const Step& step : old_steps_) old_names.insert(step.name);
      for (const Step& step : new_steps_) new_names.insert(step.name);
      std::map<std::string, std::vector<Step*>> gone;
      for (Step& step : old_steps_) {
        if (!new_names.contains(step.name)) gone[signature(step)].push_back(&step);
      }
      if (gone.empty()) return;
      std::vector<std::pair<std::string, std::string>> found;
      for (const Step& step : new_steps_) {
        if (old_names.contains(step.name)) continue;
        const auto twins = gone.find(signature(step));
        if (twins == gone.end() || twins->second.empty()) continue;
        Step& twin = *twins->second.front();
        twins->second.erase(twins->second.begin());
        found.emplace_back(twin.name, step.name);
      }
      if (found.empty()) return;
      // All at once: the names may be those of each other.
      std::map<std::string, std::string> names(found.begin(), found.end());
      for (Step& step : old_steps_) {
        if (const auto to = names.find(step.name); to != names.end()) {
          renamed_[to->second] = step.name;
          step.name = to->second;
        }
      }
      constexpr std::size_t kMostFollowed = 200;  // each is looked for in all steps
      for (std::size_t i = 0; i < found.size() && i < kMostFollowed; ++i) {
        for (Step& step : old_steps_) {
          rename_names(step.body, found[i].first, found[i].second);
          rename_in(step.body, found[i].first, found[i].second);
        }
      }
    }
  }

  void workflow() {
    for (const Field* field : fields_of(Shape::workflow)) {
      if (field->forms.has(Form::steps)) continue;
      const json::value* before = before_.if_contains(field->name);
      const json::value* after = after_.if_contains(field->name);
      if (field->forms.has(Form::inputs)) {
        inputs(before, after);
      } else {
        values("workflow", std::string(field->name), before, after);
      }
    }
  }

  void inputs(const json::value* before, const json::value* after) {
    const json::object none;
    const json::object& a = before != nullptr && before->is_object() ? before->get_object() : none;
    const json::object& b = after != nullptr && after->is_object() ? after->get_object() : none;
    std::vector<std::string> old_order;
    std::vector<std::string> new_order;
    for (const auto& m : b) {
      const json::value* old = a.if_contains(m.key());
      const std::string subject = "input " + std::string(m.key());
      if (old == nullptr) {
        add(Change::Kind::added, subject, "", nullptr, m.value());
      } else {
        values(subject, "", old, &m.value());
        new_order.emplace_back(m.key());
      }
    }
    for (const auto& m : a) {
      if (b.if_contains(m.key()) == nullptr) {
        add(Change::Kind::removed, "input " + std::string(m.key()), "", m.value(), nullptr);
      } else {
        old_order.emplace_back(m.key());
      }
    }
    moved("input ", old_order, new_order);
  }

  // What is not in the longest part that kept its order has moved.
  void moved(const std::string& what, const std::vector<std::string>& before,
             const std::vector<std::string>& after) {
    if (before == after) return;
    std::map<std::string_view, std::size_t> place;
    for (std::size_t i = 0; i < before.size(); ++i) place[before[i]] = i;
    std::vector<std::size_t>
        tails;  // indices into `after`: the smallest ends of increasing runs of each length
    std::vector<std::size_t> previous(after.size(), SIZE_MAX);
    for (std::size_t i = 0; i < after.size(); ++i) {
      const auto at = std::ranges::lower_bound(tails, place[after[i]], {},
                                               [&](std::size_t t) { return place[after[t]]; });
      if (at != tails.begin()) previous[i] = *(at - 1);
      if (at == tails.end()) {
        tails.push_back(i);
      } else {
        *at = i;
      }
    }
    std::set<std::size_t> kept;
    for (std::size_t i = tails.empty() ? SIZE_MAX : tails.back(); i != SIZE_MAX; i = previous[i])
      kept.insert(i);
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (kept.contains(i)) continue;
      add(Change::Kind::moved, what + after[i], "", nullptr,
          i == 0 ? json::value("to the front") : json::value("behind " + after[i - 1]));
    }
  }

  // `before` and `after`: nullptr where there is none.
  void values(const std::string& subject, const std::string& path, const json::value* before,
              const json::value* after) {
    if (before == nullptr && after == nullptr) return;
    if (before == nullptr) return add(Change::Kind::added, subject, path, nullptr, *after);
    if (after == nullptr) return add(Change::Kind::removed, subject, path, *before, nullptr);
    if (*before == *after) return;  // objects without regard to order
    if ((path == "needs" || is_goto(path)) && before->is_array() && after->is_array()) {
      return names(subject, path, before->get_array(), after->get_array());
    }
    if (path == "wait" && before->is_object() && after->is_object() &&
        waits_for(*before) != waits_for(*after)) {
      return add(Change::Kind::changed, subject, path, *before, *after);
    }
    const auto below = [&](std::string_view key) {
      return path.empty() ? std::string(key) : path + "." + std::string(key);
    };
    if (before->is_object() && after->is_object()) {
      for (const auto& m : after->get_object()) {
        values(subject, below(m.key()), before->get_object().if_contains(m.key()), &m.value());
      }
      for (const auto& m : before->get_object()) {
        if (after->get_object().if_contains(m.key()) == nullptr)
          values(subject, below(m.key()), &m.value(), nullptr);
      }
      return;
    }
    const auto of_objects = [](const json::value& v) {
      return v.is_array() &&
             std::ranges::any_of(v.get_array(), [](const json::value& i) { return i.is_object(); });
    };
    if (of_objects(*before) && of_objects(*after)) {
      const json::array& a = before->get_array();
      const json::array& b = after->get_array();
      for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
        values(subject, path + "[" + std::to_string(i) + "]", i < a.size() ? &a[i] : nullptr,
               i < b.size() ? &b[i] : nullptr);
      }
      return;
    }
    add(Change::Kind::changed, subject, path, *before, *after);
  }

  void names(const std::string& subject, const std::string& path, const json::array& before,
             const json::array& after) {
    const auto contains = [](const json::array& array, const json::value& value) {
      return std::ranges::find(array, value) != array.end();
    };
    json::array gone;
    json::array come;
    for (const json::value& need : before) {
      if (!contains(after, need)) gone.push_back(need);
    }
    for (const json::value& need : after) {
      if (!contains(before, need)) come.push_back(need);
    }
    if (!come.empty()) add(Change::Kind::added, subject, path, nullptr, come);
    if (!gone.empty()) add(Change::Kind::removed, subject, path, gone, nullptr);
  }

  void steps() {
    std::map<std::string_view, const Step*> old;
    for (const Step& step : old_steps_) old[step.name] = &step;
    std::set<std::string_view> names;
    std::vector<std::string> new_order;
    for (const Step& step : new_steps_) {
      names.insert(step.name);
      const std::string subject = "step " + step.name;
      const auto found = old.find(step.name);
      if (found == old.end()) {
        add(Change::Kind::added, subject, "", nullptr, step.body);
        continue;
      }
      new_order.push_back(step.name);
      if (const auto was = renamed_.find(step.name); was != renamed_.end()) {
        add(Change::Kind::renamed, "step " + was->second, "", json::value(was->second),
            json::value(step.name));
      }
      if (found->second->finally != step.finally) {
        add(Change::Kind::moved, subject, "", nullptr, step.finally ? "to `finally`" : "to `steps`");
      }
      const json::value& a = found->second->body;
      const json::value& b = step.body;
      // `needs` that are there on one side only are needs all the same.
      const json::value none = json::array{};
      const auto needs_of = [&](const json::value& body) {
        const json::value* needs = body.is_object() ? body.get_object().if_contains("needs") : nullptr;
        return needs == nullptr ? &none : needs;
      };
      values(subject, "needs", needs_of(a), needs_of(b));
      json::value left = a;
      json::value right = b;
      for (json::value* side : {&left, &right}) {
        if (side->is_object()) side->get_object().stable_erase("needs");
      }
      values(subject, "", &left, &right);
    }
    std::vector<std::string> old_order;
    for (const Step& step : old_steps_) {
      if (names.contains(step.name)) {
        old_order.push_back(step.name);
      } else {
        add(Change::Kind::removed, "step " + step.name, "", step.body, nullptr);
      }
    }
    moved("step ", old_order, new_order);
  }

  json::object before_;
  json::object after_;
  std::vector<Step> old_steps_;
  std::vector<Step> new_steps_;
  std::map<std::string, std::string> renamed_;  // new name → old name
  std::vector<Change> changes_;
};

// --- words ---

std::string shown(const json::value& value, bool inside = false) {
  if (const json::string* text = value.if_string()) {
    const std::string_view view(*text);
    const bool plain = !view.empty() && view.size() < 200 &&
                       view.find_first_of("\n\t\"\\") == std::string_view::npos && view.front() != ' ' &&
                       view.back() != ' ' &&
                       (!inside || view.find_first_of(",[]{}:") == std::string_view::npos);
    return plain ? printable(view) : printable(json::serialize(value));
  }
  std::string out;
  if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) out += (out.empty() ? "" : ", ") + shown(item, true);
    return "[" + out + "]";
  }
  if (const json::object* object = value.if_object()) {
    for (const auto& m : *object) {
      out += (out.empty() ? "" : ", ") + printable(m.key()) + ": " + shown(m.value(), true);
    }
    return "{" + out + "}";
  }
  return json::serialize(value);
}

std::string cut(std::string text) {
  constexpr std::size_t kShown = 100;
  if (text.size() <= kShown) return text;
  return std::string(utf8_prefix(text, kShown - 3)) + "…";
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return lines;
}

// The lines that are only in one of two texts, by their longest common part.
std::string line_diff(std::string_view before, std::string_view after) {
  const auto a = lines_of(before);
  const auto b = lines_of(after);
  constexpr std::size_t kCompared = 400;
  constexpr std::size_t kShown = 40;
  std::vector<std::string> out;
  if (a.size() <= kCompared && b.size() <= kCompared) {
    std::vector<std::vector<std::uint16_t>> length(a.size() + 1, std::vector<std::uint16_t>(b.size() + 1, 0));
    for (std::size_t i = a.size(); i-- > 0;) {
      for (std::size_t j = b.size(); j-- > 0;) {
        length[i][j] = a[i] == b[j] ? static_cast<std::uint16_t>(length[i + 1][j + 1] + 1)
                                    : std::max(length[i + 1][j], length[i][j + 1]);
      }
    }
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() || j < b.size()) {
      if (i < a.size() && j < b.size() && a[i] == b[j]) {
        ++i;
        ++j;
      } else if (i < a.size() && (j == b.size() || length[i + 1][j] >= length[i][j + 1])) {
        out.push_back("    - " + printable(a[i++]));
      } else {
        out.push_back("    + " + printable(b[j++]));
      }
    }
  }
  std::string text;
  for (std::size_t i = 0; i < out.size() && i < kShown; ++i) text += "\n" + out[i];
  if (out.size() > kShown) text += "\n    … " + std::to_string(out.size() - kShown) + " more lines";
  return text;
}

std::string names(const json::value& list) {
  std::string out;
  for (const json::value& name : list.as_array()) out += (out.empty() ? "" : ", ") + shown(name);
  return out;
}

// The kind of a step and what it needs.
std::string summary(const json::value& body) {
  if (!body.is_object()) return "";
  std::string out;
  for (const auto& m : body.get_object()) {
    const Field* field = find_field(Shape::step, m.key());
    if (field != nullptr && field->is_kind) out = std::string(m.key());
  }
  const json::value* needs = body.get_object().if_contains("needs");
  if (needs != nullptr && needs->is_array() && !needs->get_array().empty()) out += ", needs " + names(*needs);
  return out.empty() ? "" : " (" + cut(std::move(out)) + ")";
}

}  // namespace

std::string Change::text() const {
  const std::string named = printable(subject);
  if (path.empty()) {
    const bool step = subject.starts_with("step ");
    switch (kind) {
      case Kind::added:
        return named + " added" + (step ? summary(after) : " (" + cut(shown(after)) + ")");
      case Kind::removed:
        return named + " removed";
      case Kind::renamed:
        return named + " renamed to " + shown(after);
      case Kind::moved:
        return named + " moved " + shown(after);
      case Kind::changed:
        return named + ": " + cut(shown(before)) + " → " + cut(shown(after));
    }
  }
  const std::string place = named + ": ";
  const std::string at = printable(path);
  if (path == "needs" && before.is_null() && after.is_array()) return place + "now needs " + names(after);
  if (path == "needs" && after.is_null() && before.is_array())
    return place + "no longer needs " + names(before);
  if (is_goto(path) && (before.is_array() || after.is_array())) {
    const std::string branch = place + "branch " + at.substr(7, at.find(']') - 7);
    if (before.is_null()) return branch + " now goes to " + names(after);
    if (after.is_null()) return branch + " no longer goes to " + names(before);
  }
  switch (kind) {
    case Kind::added:
      return place + at + " added: " + cut(shown(after));
    case Kind::removed:
      return place + at + " removed (was " + cut(shown(before)) + ")";
    default:
      break;
  }
  const json::string* old_text = before.if_string();
  const json::string* new_text = after.if_string();
  if (old_text != nullptr && new_text != nullptr &&
      (old_text->find('\n') != json::string::npos || new_text->find('\n') != json::string::npos)) {
    return place + at + " changed" + line_diff(*old_text, *new_text);
  }
  return place + at + " " + cut(shown(before)) + " → " + cut(shown(after));
}

std::vector<Change> diff(const Tree& before, const Tree& after) {
  const auto normal = [](const Tree& tree) {
    json::value value = Normal(tree).object(tree.root(), Shape::workflow);
    return value.is_object() ? std::move(value.get_object()) : json::object();
  };
  return Comparison(normal(before), normal(after)).run();
}

json::array to_json(const std::vector<Change>& changes) {
  json::array array;
  array.reserve(changes.size());
  for (const Change& change : changes) {
    array.push_back(json::object{{"kind", kKinds[static_cast<std::size_t>(change.kind)]},
                                 {"subject", change.subject},
                                 {"path", change.path},
                                 {"before", change.before},
                                 {"after", change.after},
                                 {"text", change.text()}});
  }
  return array;
}

}  // namespace baton::spec
