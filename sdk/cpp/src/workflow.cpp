#include <algorithm>
#include <array>
#include <baton/workflow.hpp>
#include <cmath>
#include <map>
#include <set>

#include "base/text.hpp"
#include "bridge.hpp"

namespace baton::v0 {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Whether `.name` reads in expressions as a member's name.
bool is_word(std::string_view name) {
  constexpr std::array kReserved = {"true",     "false",   "null",      "in",       "as",  "break",  "const",
                                    "continue", "else",    "for",       "function", "if",  "import", "let",
                                    "loop",     "package", "namespace", "return",   "var", "void",   "while"};
  if (name.empty() || !is_letter(name[0])) return false;
  if (!std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c); })) return false;
  return std::ranges::find(kReserved, name) == kReserved.end();
}

std::string member(const std::string& base, std::string_view name) {
  if (is_word(name)) return base + '.' + std::string(name);
  return base + '[' + Json(name).text() + ']';
}

// The steps that an expression reads: `steps.NAME` and `steps["NAME"]`, wherever they stand but in quotes.
void add_steps_read(std::string_view text, std::set<std::string>& steps) {
  constexpr std::string_view kSteps = "steps";
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == quote)
        quote = 0;
      continue;
    }
    if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
      continue;
    }
    const bool begins = i == 0 || !(is_letter(text[i - 1]) || is_digit(text[i - 1]) || text[i - 1] == '.');
    if (!begins || !text.substr(i).starts_with(kSteps)) continue;
    std::size_t at = i + kSteps.size();
    if (at < text.size() && text[at] == '.') {
      const std::size_t from = ++at;
      while (at < text.size() && (is_letter(text[at]) || is_digit(text[at]))) ++at;
      if (at > from) steps.emplace(text.substr(from, at - from));
    } else if (at + 1 < text.size() && text[at] == '[' && (text[at + 1] == '"' || text[at + 1] == '\'')) {
      const std::size_t end = text.find(text[at + 1], at + 2);
      if (end != std::string_view::npos) steps.emplace(text.substr(at + 2, end - at - 2));
    } else {
      continue;
    }
    i = at - 1;
  }
}

// A condition is an expression already: of one that was given as an Expr, without its `${{ }}`.
void make_bare(Json& condition) {
  const std::string* text = condition.if_string();
  if (text == nullptr || !text->starts_with("${{ ") || !text->ends_with(" }}")) return;
  if (text->find("${{", 1) != std::string::npos) return;
  condition = Json(text->substr(4, text->size() - 7));
}

// Those in the `${{ … }}` of a text.
void add_steps_interpolated(std::string_view text, std::set<std::string>& steps) {
  for (std::size_t at = text.find("${{"); at != std::string_view::npos; at = text.find("${{", at)) {
    const std::size_t end = text.find("}}", at);
    add_steps_read(text.substr(at + 3, end == std::string_view::npos ? end : end - at - 3), steps);
    if (end == std::string_view::npos) return;
    at = end;
  }
}

void add_steps_in(const Json& value, std::set<std::string>& steps) {
  if (const auto* text = value.if_string()) add_steps_interpolated(*text, steps);
  if (const auto* items = value.if_array()) {
    for (const Json& item : *items) add_steps_in(item, steps);
  }
  if (const auto* members = value.if_object()) {
    for (const auto& [name, entry] : *members) add_steps_in(entry, steps);
  }
}

// What a step reads of others. Fields that are expressions without `${{ }}` are looked into as such.
std::set<std::string> reads_of(const Json& fields) {
  std::set<std::string> steps;
  for (const auto& [name, value] : *fields.if_object()) {
    if (name == "needs") continue;
    const std::string* text = value.if_string();
    if (name == "when" && text != nullptr) {
      add_steps_read(*text, steps);
    } else if (name == "switch" && value.is_array()) {
      for (const Json& branch : *value.if_array()) {
        if (const auto* condition = branch["when"].if_string()) add_steps_read(*condition, steps);
      }
    } else {
      add_steps_in(value, steps);
    }
  }
  return steps;
}

std::vector<std::string> needs_of(const Json& fields) {
  std::vector<std::string> names;
  if (const auto* list = fields["needs"].if_array()) {
    for (const Json& entry : *list) {
      if (const auto* name = entry.if_string()) names.push_back(*name);
    }
  }
  return names;
}

// A map of steps with the needs that follow from what they read, unless they follow already.
Json with_needs(const std::deque<Step>& steps) {
  Json made = Json::object();
  std::map<std::string, std::set<std::string>> ancestors;
  for (const Step& step : steps) {
    std::vector<std::string> needs = needs_of(step.fields());
    std::set<std::string>& known = ancestors[step.name()];
    const auto add = [&](const std::string& name) {
      known.insert(name);
      if (const auto found = ancestors.find(name); found != ancestors.end() && name != step.name())
        known.insert(found->second.begin(), found->second.end());
    };
    for (const std::string& name : needs) add(name);
    // Only steps of this map: what `finally` reads of the main ones it may read anyway.
    for (const Step& other : steps) {
      if (known.contains(other.name()) || &other == &step) continue;
      if (!reads_of(step.fields()).contains(other.name())) continue;
      needs.push_back(other.name());
      add(other.name());
    }
    Json fields = step.fields();
    if (!needs.empty()) {
      Json list = Json::array();
      for (std::string& name : needs) list.push_back(std::move(name));
      fields.set("needs", std::move(list));
    }
    made.set(step.name(), std::move(fields));
  }
  return made;
}

}  // namespace

std::string name_of(std::string_view title) {
  std::string made;
  for (const char c : title) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool plain = (lower >= 'a' && lower <= 'z') || is_digit(lower) || lower == '.' || lower == '_';
    if (plain) {
      made += lower;
    } else if (!made.empty() && made.back() != '-') {
      made += '-';
    }
  }
  const std::size_t begin = made.find_first_not_of("-._");
  if (begin == std::string::npos) return "step";
  made = made.substr(begin, 120);
  return made.substr(0, made.find_last_not_of("-._") + 1);
}

Expr Expr::operator[](std::string_view name) const {
  return Expr(member(text_, name));
}
Expr input(std::string_view name) {
  return Expr(member("inputs", name));
}

Json seconds_json(Seconds length) {
  const double seconds = length.count();
  constexpr double kExact = 9e15;
  if (seconds == std::floor(seconds) && std::fabs(seconds) < kExact)
    return static_cast<std::int64_t>(seconds);
  return seconds;
}

// ---- Steps

Step& Step::exec(std::vector<std::string> argv) {
  return field("exec", Json::of(argv));
}
Step& Step::shell(std::vector<std::string> argv) {
  return field("shell", Json::of(argv));
}
Step& Step::secrets(std::vector<std::string> names) {
  return field("secrets", Json::of(names));
}
Step& Step::tags(std::vector<std::string> words) {
  return field("tags", Json::of(words));
}
Step& Step::wait_for(Seconds length) {
  return wait(Json::object({{"for", seconds_json(length)}}));
}
Step& Step::needs(std::initializer_list<std::string_view> steps) {
  for (const std::string_view step : steps) fields_.set("needs").push_back(step);
  return *this;
}
Step& Step::needs(const Step& step) {
  return needs({std::string_view(step.name())});
}
Step& Step::switch_to(Json branches) {
  if (auto* list = branches.if_array()) {
    for (Json& branch : *list) {
      if (!branch["when"].is_null()) make_bare(branch.set("when"));
    }
  }
  return field("switch", std::move(branches));
}
Step& Step::repeat(Json how) {
  if (!how["until"].is_null()) make_bare(how.set("until"));
  return field("repeat", std::move(how));
}
Step& Step::field(std::string_view name, Json value) {
  fields_.set(name, std::move(value));
  return *this;
}
Expr Step::result() const {
  return Expr(member("steps", name_) + ".result");
}
Expr Step::error() const {
  return Expr(member("steps", name_) + ".error");
}
Expr Step::status() const {
  return Expr(member("steps", name_) + ".status");
}

Step step(std::string_view name) {
  Workflow flow("steps");
  return flow.step(name);
}

Json steps_json(std::initializer_list<Step> steps) {
  return with_needs(std::deque<Step>(steps));
}

// ---- Workflows

Workflow::Workflow(std::string_view name) : name_(baton::is_name(name) ? std::string(name) : name_of(name)) {
  if (name_ != name) title(std::string(name));
}

Workflow& Workflow::input(std::string_view name, Json declaration) {
  inputs_.set(name, std::move(declaration));
  return *this;
}

Workflow& Workflow::field(std::string_view name, Json value) {
  fields_.set(name, std::move(value));
  return *this;
}

Step& Workflow::add(std::deque<Step>& steps, std::string_view name) {
  const auto taken = [&](const std::string& wanted) {
    return std::ranges::any_of(steps, [&](const Step& step) { return step.name() == wanted; });
  };
  if (baton::is_name(name)) {
    if (taken(std::string(name)))
      throw Exception(Error{Code::usage, "there is a step \"" + std::string(name) + "\" already", ""});
    return steps.emplace_back(Step(std::string(name)));
  }
  const std::string base = name_of(name);
  std::string plain = base;
  for (int number = 2; taken(plain); ++number) plain = base + '-' + std::to_string(number);
  return steps.emplace_back(Step(plain)).title(std::string(name));
}

Step& Workflow::step(std::string_view name) {
  return add(steps_, name);
}
Step& Workflow::last(std::string_view name) {
  return add(last_, name);
}

Json Workflow::to_json() const {
  Json made = Json::object({{"name", name_}});
  for (const std::string_view first : {"title", "description"}) {
    if (!fields_[first].is_null()) made.set(first, fields_[first]);
  }
  if (inputs_.size() > 0) made.set("inputs", inputs_);
  for (const auto& [name, value] : *fields_.if_object()) made.set(name, value);
  made.set("steps", with_needs(steps_));
  if (!last_.empty()) made.set("finally", with_needs(last_));
  return made;
}

}  // namespace baton::v0
