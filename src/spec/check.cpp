#include "spec/check.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "calendar/cron.hpp"
#include "spec/failure.hpp"
#include "spec/flow.hpp"
#include "spec/kinds.hpp"
#include "spec/meant.hpp"
#include "spec/policies.hpp"
#include "spec/schemas.hpp"

namespace baton::spec {
namespace {

bool has_template(std::string_view text) {
  return text.find("${{") != std::string_view::npos;
}

// 0% to 100%.
bool is_percentage(std::string_view text) {
  if (!text.ends_with('%')) return false;
  text.remove_suffix(1);
  int percent = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  return error == std::errc() && end == text.data() + text.size() && percent >= 0 && percent <= 100;
}

bool is_variable(std::string_view name) {
  return !name.empty() && name.find('=') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// A token of HTTP (RFC 9110, 5.6.2).
bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
  });
}

// What says where a message ends, and what goes with the connection instead of the request.
bool is_clients_own_header(std::string_view name) {
  constexpr std::string_view kOwn[] = {
      "Host",    "Content-Length", "Transfer-Encoding", "Connection",       "Expect",         "TE",
      "Trailer", "Upgrade",        "Keep-Alive",        "Proxy-Connection", "Accept-Encoding"};
  return std::ranges::any_of(kOwn, [&](std::string_view own) { return equals_ignoring_case(own, name); });
}

class Checker {
 public:
  Checker(const Tree& tree, Findings& findings) : tree_(tree), findings_(findings) {}

  // `named` is where the map got its name: there a missing field is reported.
  void object(NodeId node, Shape shape, NodeId named) {
    for (const Member m : tree_.members(node)) {
      const std::string_view key = tree_.text(m.key);
      const Field* field = find_field(shape, key);
      if (field == nullptr) {
        const std::string_view meant = unknown(m.key, shape);
        if (const Field* field_meant = find_field(shape, meant)) meant_kind_ |= field_meant->is_kind;
      } else {
        if (field->status == Status::later) findings_.unsupported(m.key, key);
        if (!field->forms.has(Form::any)) value(m, *field);
      }
    }
    for (const Field* field : fields_of(shape)) {
      if (field->required && !tree_.find(node, field->name)) {
        findings_.error(named, "the field `" + std::string(field->name) + "` is missing",
                        "add " + std::string(field->name) + ": " + describe(*field));
      }
    }
  }

 private:
  // Returns the field that was probably meant, or "".
  std::string_view unknown(NodeId key, Shape shape) {
    const std::string_view word = tree_.text(key);
    if (findings_.full()) {
      findings_.error(key, "unknown field");
      return {};
    }
    const std::string_view meant = meant_field(shape, word);
    findings_.error(key, "unknown field \"" + shown(word) + "\" of " + article(shape),
                    meant.empty() ? "" : "did you mean `" + std::string(meant) + "`?");
    return meant;
  }

  static std::string article(Shape shape) {
    if (shape == Shape::workflow) return "the workflow";
    if (shape == Shape::step) return "a step";
    if (shape == Shape::action) return "an action";
    if (shape == Shape::schedule) return "a schedule";
    if (shape == Shape::branch) return "a branch";
    return "`" + std::string(title(shape)) + "`";
  }

  static std::string shown(std::string_view text) {
    const std::string_view cut = utf8_prefix(text, 60);
    return printable(cut) + (cut.size() < text.size() ? "…" : "");
  }

  void mismatch(NodeId node, const Field& field, std::string suggestion = {}) {
    const std::string text = tree_.is_collection(node) ? "" : shown(tree_.text(node));
    if (suggestion.empty()) suggestion = advice(node, field, text);
    findings_.error(node,
                    "`" + std::string(field.name) + "` must be " + describe(field) + ", not " + found(node),
                    std::move(suggestion));
  }

  // For messages: a string ("x").
  std::string found(NodeId node) const {
    std::string found(describe(tree_[node].kind));
    if (tree_.is_collection(node) || tree_.is(node, NodeKind::null)) return found;
    const std::string text = shown(tree_.text(node));
    return found + (tree_.is(node, NodeKind::string) ? " (\"" + text + "\")" : " (" + text + ")");
  }

  // What was probably meant by a value of the wrong form.
  std::string advice(NodeId node, const Field& field, const std::string& text) const {
    const Forms forms = field.forms;
    const NodeKind kind = tree_[node].kind;
    const bool plain = kind == NodeKind::boolean || kind == NodeKind::integer || kind == NodeKind::real;
    const bool wants_text = forms.has(Form::text) || forms.has(Form::prose) || forms.has(Form::script) ||
                            forms.has(Form::templated) || forms.has(Form::cron);
    if (plain && wants_text) return "write \"" + text + "\" in quotes";
    if (kind == NodeKind::integer && field.shape == Shape::retry) return "write {max_retries: " + text + "}";
    if (kind == NodeKind::string &&
        (forms.has(Form::names) || forms.has(Form::texts) || forms.has(Form::word_list))) {
      return "write [" + text + "]";
    }
    if (kind == NodeKind::string && field.shape == Shape::http) return "write {url: " + text + "}";
    if (kind == NodeKind::string && field.shape == Shape::rate_limit) return rate_advice(text);
    if (kind == NodeKind::map && forms.has(Form::objects)) return "write a list: `- ` before each map";
    if (kind == NodeKind::string && forms.has(Form::boolean)) {
      if (text == "yes" || text == "on") return "write true";
      if (text == "no" || text == "off") return "write false";
    }
    if (kind == NodeKind::list && forms.has(Form::steps))
      return "each step stands under its name, as build: {run: make}";
    if (kind == NodeKind::string && forms.has(Form::arguments))
      return "write [" + text + "], or `run` for a shell command";
    return {};
  }

  // Celery's 100/m.
  static std::string rate_advice(const std::string& text) {
    const std::size_t slash = text.find('/');
    const std::string_view unit = slash == std::string::npos ? "" : std::string_view(text).substr(slash + 1);
    if (slash == 0 || (unit != "s" && unit != "m" && unit != "h")) return "write {limit: 100, per: 1m}";
    return "write {limit: " + text.substr(0, slash) + ", per: 1" + std::string(unit) + "}";
  }

  void value(Member m, const Field& field) {
    form(m, field);
    if (field.shape == Shape::retry) check_retry(tree_, m.value, findings_);
    if (field.shape == Shape::timeout) check_timeout(tree_, m.value, findings_);
    if (field.shape == Shape::cache) check_cache(tree_, m.value, findings_);
    if (field.shape == Shape::wait) check_wait(tree_, m, findings_);
    if (field.forms.has(Form::objects) && field.shape == Shape::branch) check_branches(tree_, m, findings_);
  }

  void form(Member m, const Field& field) {
    const NodeId node = m.value;
    switch (tree_[node].kind) {
      case NodeKind::null:
        if (field.forms.has(Form::value)) return;
        return mismatch(node, field, "give it a value or leave the field out");
      case NodeKind::map:
        return map(m, field);
      case NodeKind::list:
        return list(node, field);
      case NodeKind::string:
        return string(node, field);
      case NodeKind::boolean:
        if (!field.forms.has(Form::boolean) && !field.forms.has(Form::value) &&
            !field.forms.has(Form::expression) && !field.forms.has(Form::schema)) {
          mismatch(node, field);
        }
        return;
      case NodeKind::integer:
      case NodeKind::real:
        return number(node, field);
    }
  }

  void number(NodeId node, const Field& field) {
    if (field.forms.has(Form::value)) return;
    if (field.forms.has(Form::statuses)) return status(node, field);
    if (field.forms.has(Form::duration)) {
      if (const auto d = duration_from_seconds(tree_.number(node)); !d)
        findings_.error(node, d.error().message);
      return;
    }
    if (field.forms.has(Form::text) && field.forms.has(Form::texts)) return;  // a number stands for its text
    const bool fits = field.forms.has(Form::number) ||
                      (field.forms.has(Form::integer) && tree_.is(node, NodeKind::integer));
    if (!fits) return mismatch(node, field);
    const double number = tree_.number(node);
    if (number < field.minimum || number > field.maximum) {
      findings_.error(node, "`" + std::string(field.name) + "` must be " + describe(field) + ", not " +
                                shown(tree_.text(node)));
    }
  }

  void string(NodeId node, const Field& field) {
    const std::string_view text = tree_.text(node);
    const Forms forms = field.forms;
    if (forms.has(Form::value) || forms.has(Form::prose) || forms.has(Form::templated)) return;
    if (forms.has(Form::url)) return url(node, field);
    if (forms.has(Form::statuses)) return status(node, field);
    if (forms.has(Form::expression)) return;  // parsed with the other expressions
    if (forms.has(Form::script)) return script(node);
    if (forms.has(Form::items)) {
      if (!has_template(text)) {
        mismatch(node, field, "write ${{ " + shown(text) + " }} if this is an expression");
      }
      return;
    }
    if (forms.has(Form::text)) return no_template(node, field);
    if (forms.has(Form::name)) {
      if (!has_template(text)) {
        if (!is_name(text)) not_a_name(node);
        return;
      }
      return no_template(node, field);
    }
    if (forms.has(Form::word)) {
      if (forms.has(Form::duration) && parse_duration(text)) return;
      return word(node, field);
    }
    if (forms.has(Form::percent) && is_percentage(text)) return;
    if (forms.has(Form::duration)) {
      if (has_template(text)) return no_template(node, field);
      if (const auto d = parse_duration(text); !d) findings_.error(node, d.error().message);
      return;
    }
    if (has_template(text)) return no_template(node, field);
    if (forms.has(Form::cron)) {
      if (const auto checked = calendar::check_cron(text); !checked) {
        findings_.error(node, checked.error().message);
      }
      return;
    }
    if (forms.has(Form::zone)) return zone(node, field);
    if (forms.has(Form::instant)) {
      if (!parse_rfc3339(text)) mismatch(node, field);
      return;
    }
    mismatch(node, field);
  }

  // The value of the field, or an item of it.
  void word(NodeId node, const Field& field) {
    const std::string_view text = tree_.text(node);
    const auto words = split_words(field.words);
    const bool string = tree_.is(node, NodeKind::string);
    if (string && std::ranges::find(words, text) != words.end()) return;
    std::string_view meant = string ? nearest(text, words) : "";
    for (const std::string_view w : words) {
      if (string && equals_ignoring_case(w, text)) meant = w;
    }
    std::string help = meant.empty() ? "" : "did you mean `" + std::string(meant) + "`?";
    if (!field.forms.has(Form::word_list)) return mismatch(node, field, std::move(help));
    std::string list;
    for (const std::string_view w : words) list += (list.empty() ? "`" : ", `") + std::string(w) + "`";
    findings_.error(
        node, "each of `" + std::string(field.name) + "` must be one of " + list + ", not " + found(node),
        std::move(help));
  }

  // Which zones there are is known where the runs are; what can be none is known here.
  void zone(NodeId node, const Field& field) {
    const std::string_view text = tree_.text(node);
    const auto is_part = [](std::string_view part) {
      return !part.empty() && std::ranges::all_of(part, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '+' || c == '-';
      });
    };
    std::string_view rest = text;
    while (true) {
      const std::size_t slash = rest.find('/');
      if (!is_part(rest.substr(0, slash))) return mismatch(node, field);
      if (slash == std::string_view::npos) return;
      rest.remove_prefix(slash + 1);
    }
  }

  void no_template(NodeId node, const Field& field) {
    const std::size_t at = tree_.text(node).find("${{");
    if (at == std::string_view::npos) return;
    findings_.error(node, findings_.inside(node, at, template_size(node, at)),
                    "`${{ }}` is not allowed in `" + std::string(field.name) + "`");
  }

  std::size_t template_size(NodeId node, std::size_t at) const {
    const std::size_t end = tree_.text(node).find("}}", at);
    return end == std::string_view::npos ? 3 : end + 2 - at;
  }

  void script(NodeId node) {
    const std::string_view text = tree_.text(node);
    const std::size_t at = text.find("${{");
    if (at == std::string_view::npos) {
      if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        findings_.error(node, "the script is empty");
      } else if (text.find('\0') != std::string_view::npos) {
        findings_.error(node, "a script must not hold the character NUL");
      }
      return;
    }
    const std::size_t size = template_size(node, at);
    const bool closed = size > 5;
    const std::string whole = closed ? shown(text.substr(at, size)) : "${{ … }}";
    const std::string variable = variable_for(closed ? text.substr(at + 3, size - 5) : "");
    findings_.error(node, findings_.inside(node, at, size),
                    "`${{ }}` is not allowed in the text of `run`: a value could become code",
                    "pass it by the environment: env: {" + variable + ": \"" + whole + "\"}, and write \"$" +
                        variable + "\" here");
  }

  // `steps.fetch.result.file` → FILE.
  static std::string variable_for(std::string_view expression) {
    std::string name;
    for (const char c : expression) {
      if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_') {
        name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      } else if (c == '.') {
        name.clear();
      } else if (!name.empty()) {
        break;
      }
    }
    return name.empty() || (name[0] >= '0' && name[0] <= '9') ? "VALUE" : name;
  }

  void not_a_name(NodeId node) {
    const std::string_view text = tree_.text(node);
    if (has_template(text)) {
      findings_.error(node, "`${{ }}` is not allowed in names");
      return;
    }
    findings_.error(
        node, "\"" + shown(text) + "\" is not a name",
        "names have letters, digits, `.`, `_` and `-`, begin with a letter or digit, and have at most 128 "
        "characters");
  }

  void list(NodeId node, const Field& field) {
    const Forms forms = field.forms;
    if (forms.has(Form::value) || forms.has(Form::items) || forms.has(Form::list)) return;
    if (forms.has(Form::objects)) return objects(node, field);
    if (forms.has(Form::word_list)) return word_list(node, field);
    if (forms.has(Form::texts)) return texts(node, field);
    if (forms.has(Form::integers)) return integers(node, field);
    if (forms.has(Form::statuses)) {
      if (tree_.count(node) == 0) findings_.error(node, "`" + std::string(field.name) + "` needs a status");
      for (const NodeId item : tree_.items(node)) status(item, field);
      return;
    }
    if (forms.has(Form::arguments) || forms.has(Form::words_list)) {
      if (tree_.count(node) == 0)
        findings_.error(node, "`" + std::string(field.name) + "` needs at least the program");
      for (const NodeId item : tree_.items(node)) {
        if (tree_.is_collection(item) || tree_.is(item, NodeKind::null)) {
          findings_.error(item,
                          "an argument must be a string, not " + std::string(describe(tree_[item].kind)));
        } else if (tree_.text(item).find('\0') != std::string_view::npos) {
          findings_.error(item, "an argument must not hold the character NUL");
        } else if (forms.has(Form::words_list)) {
          no_template(item, field);
        }
      }
      return;
    }
    if (forms.has(Form::names)) {
      for (const NodeId item : tree_.items(node)) {
        if (tree_.is_collection(item) || tree_.is(item, NodeKind::null)) {
          findings_.error(item, "`" + std::string(field.name) + "` takes names of steps, not " +
                                    std::string(describe(tree_[item].kind)));
        }
      }
      return;  // whether they are names of steps is seen where the steps are known
    }
    mismatch(node, field);
  }

  void objects(NodeId node, const Field& field) {
    for (const NodeId item : tree_.items(node)) {
      if (tree_.is(item, NodeKind::map)) {
        object(item, field.shape, item);
      } else {
        findings_.error(item, "each of `" + std::string(field.name) + "` must be a map, not " +
                                  std::string(describe(tree_[item].kind)));
      }
    }
  }

  void integers(NodeId node, const Field& field) {
    if (tree_.count(node) == 0) return empty(node, field);
    for (const NodeId item : tree_.items(node)) {
      if (tree_.is(item, NodeKind::integer)) {
        number(item, field);
      } else {
        mismatch(item, field);
      }
    }
  }

  void named(NodeId node, const Field& field) {
    for (const Member m : tree_.members(node)) {
      if (!is_name(tree_.text(m.key))) not_a_name(m.key);
      if (tree_.is(m.value, NodeKind::map)) {
        object(m.value, field.shape, m.key);
      } else {
        findings_.error(m.value, "each of `" + std::string(field.name) + "` must be a map, not " +
                                     std::string(describe(tree_[m.value].kind)));
      }
    }
  }

  void amounts(NodeId node, const Field& field) {
    if (tree_.count(node) == 0) return empty(node, field);
    for (const Member m : tree_.members(node)) {
      if (!is_name(tree_.text(m.key))) not_a_name(m.key);
      const auto amount = tree_.is(m.value, NodeKind::integer) ? tree_.integer(m.value) : std::nullopt;
      if (amount && static_cast<double>(*amount) >= field.minimum &&
          static_cast<double>(*amount) <= field.maximum) {
        continue;
      }
      findings_.error(m.value, "each of `" + std::string(field.name) + "` must be an integer from " +
                                   std::to_string(static_cast<std::int64_t>(field.minimum)) + " to " +
                                   std::to_string(static_cast<std::int64_t>(field.maximum)) + ", not " +
                                   found(m.value));
    }
  }

  void empty(NodeId node, const Field& field) {
    findings_.error(node, "`" + std::string(field.name) + "` must not be empty");
  }

  void word_list(NodeId node, const Field& field) {
    if (tree_.count(node) == 0) return empty(node, field);
    std::vector<std::string_view> seen;
    for (const NodeId item : tree_.items(node)) {
      word(item, field);
      if (tree_.is_collection(item) || findings_.full()) continue;
      if (std::ranges::find(seen, tree_.text(item)) != seen.end()) {
        findings_.error(
            item, "`" + shown(tree_.text(item)) + "` stands twice in `" + std::string(field.name) + "`");
      }
      seen.push_back(tree_.text(item));
    }
  }

  void texts(NodeId node, const Field& field) {
    if (static_cast<double>(tree_.count(node)) < field.minimum) return empty(node, field);
    for (const NodeId item : tree_.items(node)) {
      if (tree_.is_collection(item) || tree_.is(item, NodeKind::null)) {
        findings_.error(item, "each of `" + std::string(field.name) + "` must be a string, not " +
                                  std::string(describe(tree_[item].kind)));
      } else {
        no_template(item, field);
      }
    }
  }

  void map(Member m, const Field& field) {
    const NodeId node = m.value;
    const Forms forms = field.forms;
    if (forms.has(Form::value) || forms.has(Form::items)) return;
    if (forms.has(Form::schema)) {
      check_schema(tree_, node, tree_.to_json(node), schemas_, findings_);
      return;
    }
    if (forms.has(Form::object)) {
      if (is_action(field.shape)) return deed(m, field.shape, "`" + std::string(field.name) + "`");
      object(node, field.shape, m.key);
      if (field.shape == Shape::http) one_body(node);
      return;
    }
    if (forms.has(Form::headers)) return headers(node);
    if (forms.has(Form::parameters)) return parameters(node, field);
    if (forms.has(Form::named)) return named(node, field);
    if (forms.has(Form::amounts)) return amounts(node, field);
    if (forms.has(Form::steps)) {
      for (const Member step : tree_.members(node)) this->step(step);
      return;
    }
    if (forms.has(Form::environment)) return environment(node);
    if (forms.has(Form::labels)) {
      for (const Member label : tree_.members(node)) {
        if (!is_name(tree_.text(label.key))) not_a_name(label.key);
        if (tree_.is_collection(label.value) || tree_.is(label.value, NodeKind::null)) {
          findings_.error(label.value,
                          "a label must be a string, not " + std::string(describe(tree_[label.value].kind)));
        } else {
          no_template(label.value, field);
        }
      }
      return;
    }
    if (forms.has(Form::map)) constant(node, field);
    if (forms.has(Form::values) || forms.has(Form::map)) {
      for (const Member value : tree_.members(node)) {
        if (!is_name(tree_.text(value.key))) not_a_name(value.key);
      }
      return;
    }
    if (forms.has(Form::inputs)) {
      constexpr std::size_t kMostInputs = 10'000;
      if (tree_.count(node) > kMostInputs) findings_.error(node, "more than 10000 inputs are declared");
      for (const Member input : tree_.members(node)) {
        if (!is_name(tree_.text(input.key))) not_a_name(input.key);
        if (!tree_.is(input.value, NodeKind::map)) {
          findings_.error(
              input.value,
              "an input is declared by a map, not " + std::string(describe(tree_[input.value].kind)),
              "write {type: string}");
        }
      }
      return;
    }
    mismatch(node, field);
  }

  // No ${{ }} anywhere: nothing evaluates it. Recursion is bounded by the tree's depth.
  void constant(NodeId node, const Field& field) {
    if (findings_.full()) return;
    if (tree_.is(node, NodeKind::string)) no_template(node, field);
    for (const NodeId item : tree_.items(node)) constant(item, field);
    for (const Member m : tree_.members(node)) constant(m.value, field);
  }

  void environment(NodeId node) {
    for (const Member variable : tree_.members(node)) {
      if (!is_variable(tree_.text(variable.key))) {
        findings_.error(variable.key,
                        "\"" + shown(tree_.text(variable.key)) + "\" is not a name of a variable");
      } else if (tree_.text(variable.key).starts_with("BATON_")) {
        findings_.error(variable.key, "variables that begin with BATON_ are set by Baton itself");
      }
      if (tree_.is_collection(variable.value) || tree_.is(variable.value, NodeKind::null)) {
        findings_.error(
            variable.value,
            "a variable must be a string, not " + std::string(describe(tree_[variable.value].kind)),
            tree_.is(variable.value, NodeKind::null) ? "write \"\" for an empty one" : "");
      }
    }
  }

  void url(NodeId node, const Field& field) {
    const std::string_view text = tree_.text(node);
    if (text.starts_with("${{")) return;
    // A path below the URL of the step's target.
    const bool may_continue = field.owner == Shape::http || field.name == "health";
    if (may_continue && text.starts_with('/') && !text.starts_with("//")) return;
    const bool http = text.starts_with("http://");
    if (!http && !text.starts_with("https://")) {
      const bool relative =
          text.find("://") == std::string_view::npos && !text.starts_with('/') && !text.empty();
      const std::string_view start = field.name == "health" ? "write /" : "write http://";
      return mismatch(node, field, relative ? std::string(start) + shown(text) : "");
    }
    const std::string_view rest = text.substr(http ? 7 : 8);
    if (rest.empty() || rest.front() == '/' || rest.front() == '?' || rest.front() == '#') {
      return mismatch(node, field, "the host is missing");
    }
  }

  void status(NodeId node, const Field& field) {
    const std::string_view text = tree_.is_collection(node) ? "" : tree_.text(node);
    const bool scalar = tree_.is(node, NodeKind::integer) || tree_.is(node, NodeKind::string);
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    const bool fits = text.size() == 3 && text[0] >= '1' && text[0] <= '5' &&
                      ((digit(1) && digit(2)) || text.substr(1) == "xx");
    if (!scalar || !fits) mismatch(node, field);
  }

  void headers(NodeId node) {
    for (const Member header : tree_.members(node)) {
      const std::string_view name = tree_.text(header.key);
      if (!is_header_name(name)) {
        findings_.error(header.key, "\"" + shown(name) + "\" is not a name of a header field");
      } else if (is_clients_own_header(name)) {
        findings_.error(header.key, "the header field \"" + shown(name) + "\" is written by Baton itself");
      }
      if (tree_.is_collection(header.value) || tree_.is(header.value, NodeKind::null)) {
        findings_.error(header.value, "a header field must be a string, not " +
                                          std::string(describe(tree_[header.value].kind)));
      }
    }
  }

  void parameters(NodeId node, const Field& field) {
    const auto scalar = [&](NodeId value) {
      if (!tree_.is_collection(value)) return;
      findings_.error(value, "a parameter of `" + std::string(field.name) +
                                 "` must be a string or a list of strings, not " +
                                 std::string(describe(tree_[value].kind)));
    };
    for (const Member parameter : tree_.members(node)) {
      if (tree_.text(parameter.key).empty()) findings_.error(parameter.key, "a parameter must have a name");
      if (tree_.is(parameter.value, NodeKind::list)) {
        for (const NodeId item : tree_.items(parameter.value)) scalar(item);
      } else {
        scalar(parameter.value);
      }
    }
  }

  // A request has one body.
  void one_body(NodeId node) {
    std::string_view first;
    for (const Member m : tree_.members(node)) {
      const std::string_view key = tree_.text(m.key);
      if (key != "json" && key != "form" && key != "body") continue;
      if (!first.empty()) {
        findings_.error(m.key, "a request has one body: it has `" + std::string(first) + "` already");
      } else {
        first = key;
      }
    }
  }

  void step(Member step) {
    if (!is_name(tree_.text(step.key))) not_a_name(step.key);
    if (!tree_.is(step.value, NodeKind::map)) {
      findings_.error(step.value,
                      "a step must be a map, not " + std::string(describe(tree_[step.value].kind)),
                      "write {run: …}");
      return;
    }
    deed(step, Shape::step, "the step \"" + shown(tree_.text(step.key)) + "\"");
    check_failure(tree_, step.value, true, findings_);
    check_flow(tree_, step.value, findings_);
    if (const auto limit = tree_.find(step.value, "max_parallel");
        limit && !tree_.find(step.value, "for_each")) {
      findings_.error(limit->key, "`max_parallel` of a step needs `for_each`");
    }
  }

  // A step, or an action of one: it has one kind, and fields that act on this kind. `named` is how it is
  // called in messages.
  void deed(Member m, Shape shape, const std::string& named) {
    const bool outer = std::exchange(meant_kind_, false);
    object(m.value, shape, m.key);
    const bool misspelled = std::exchange(meant_kind_, outer);
    const Field* kind = nullptr;
    for (const Member part : tree_.members(m.value)) {
      const Field* field = find_field(shape, tree_.text(part.key));
      if (field == nullptr || !field->is_kind) continue;
      if (kind != nullptr) {
        findings_.error(part.key,
                        article(shape) + " has one kind: it has `" + std::string(kind->name) + "` already");
      }
      if (kind == nullptr) kind = field;
    }
    if (kind == nullptr) {
      if (misspelled) return;  // it has been reported
      findings_.error(m.key, named + " does nothing: one of " + kind_names(shape) + " is needed");
      return;
    }
    for (const Member part : tree_.members(m.value)) {
      const Field* field = find_field(shape, tree_.text(part.key));
      if (field == nullptr || field->is_kind || kind->status == Status::later) continue;
      if ((field->kinds & kind->kinds) == 0) {
        findings_.error(part.key,
                        "`" + std::string(field->name) + "` has no effect on " + article(shape) +
                            " of kind `" + std::string(kind->name) + "`",
                        kind->kinds == kinds::wait && find_field(Shape::wait, field->name) != nullptr
                            ? "write it into the `wait`"
                            : "");
      }
    }
  }

  static std::string kind_names(Shape shape) {
    std::string names;
    for (const Field* field : fields_of(shape)) {
      if (!field->is_kind || field->status == Status::later) continue;
      names += (names.empty() ? "`" : ", `") + std::string(field->name) + "`";
    }
    return names;
  }

  const Tree& tree_;
  Findings& findings_;
  schema::Budget schemas_;   // of all of the definition's steps together
  bool meant_kind_ = false;  // an unknown field of the step at hand looks like a kind
};

}  // namespace

void check_fields(const Tree& tree, Findings& findings) {
  Checker(tree, findings).object(tree.root(), Shape::workflow, tree.root());
  check_failure(tree, tree.root(), false, findings);
  check_run_limit(tree, findings);
}

std::optional<Duration> read_duration(const Tree& tree, NodeId node) {
  if (tree.is_collection(node)) return std::nullopt;
  const bool number = tree.is(node, NodeKind::integer) || tree.is(node, NodeKind::real);
  const auto duration = number ? duration_from_seconds(tree.number(node)) : parse_duration(tree.text(node));
  if (!duration) return std::nullopt;
  return *duration;
}

}  // namespace baton::spec
