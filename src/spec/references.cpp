#include "spec/references.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "expr/expr.hpp"
#include "expr/template.hpp"
#include "spec/fields.hpp"

namespace baton::spec {
namespace {

using expr::Kind;
using expr::Shape;

std::string shown(std::string_view text) {
  return printable(utf8_prefix(text, 128));
}

// Where an expression stands decides what it may read.
struct Context {
  const Ordinal* step = nullptr;  // nullptr: `env` of the workflow and `defaults`, which hold for all steps
  bool items = false;             // `item` and `index` are known
  bool self = false;              // so is `self`
  bool only_inputs = false;       // before there is a run
  bool secrets = false;           // these may stand here
  bool arguments = false;         // of a program
};

constexpr std::string_view kStepFields[] = {"result", "status", "error", "attempts", "counts", "errors"};

class References {
 public:
  References(const Tree& tree, const Graph& graph, Findings& findings)
      : tree_(tree), graph_(graph), findings_(findings), inputs_(input_names(tree)), steps_(step_names()) {
    // Names of inputs and steps are looked up here and not by the checker: a definition may have 100,000 of
    // them.
    scope_.variables = {
        {"inputs", inputs_shape()},
        {"run", Shape::object({{"id", Shape::of(Kind::string)},
                               {"job_id", Shape()},
                               {"status", Shape::of(Kind::string)},
                               {"metadata", Shape()},
                               {"started_at", Shape()},
                               {"recovery_attempts", Shape::of(Kind::integer)}})},
        {"steps", Shape::map(Shape::object({{"result", Shape()},
                                            {"status", Shape::of(Kind::string)},
                                            {"error", Shape()},
                                            {"attempts", Shape()},
                                            {"counts", Shape()},
                                            {"errors", Shape()}}))},
        {"env", Shape::map(Shape::of(Kind::string))},
        {"item", Shape()},
        {"index", Shape::of(Kind::integer)},
        {"secrets", Shape()},
        {"self", Shape::object({{"result", Shape()},
                                {"error", Shape()},
                                {"attempt", Shape::of(Kind::integer)},
                                {"status", Shape::of(Kind::string)}})},
    };
  }

  Reads check() {
    if (const auto env = tree_.find(tree_.root(), "env")) strings(env->value, {.secrets = true});
    if (const auto defaults = tree_.find(tree_.root(), "defaults"); defaults && is_map(defaults->value)) {
      for (const std::string_view name : {"env", "workdir"}) {
        if (const auto field = tree_.find(defaults->value, name))
          strings(field->value, {.secrets = name == "env"});
      }
    }
    if (const auto limit = tree_.find(tree_.root(), "concurrency"); limit && is_map(limit->value)) {
      fields(limit->value, spec::Shape::concurrency, {.only_inputs = true});
    }
    if (const auto targets = tree_.find(tree_.root(), "targets"); targets && is_map(targets->value)) {
      for (const Member target : tree_.members(targets->value)) {
        if (is_map(target.value)) fields(target.value, spec::Shape::target, {});
      }
    }
    for (Ordinal i = 0; i < graph_.steps.size(); ++i) step(i);
    ancestors();
    return std::move(reads_);
  }

 private:
  bool is_map(NodeId node) const { return tree_.is(node, NodeKind::map); }

  static std::vector<std::string_view> input_names(const Tree& tree) {
    std::vector<std::string_view> names;
    if (const auto inputs = tree.find(tree.root(), "inputs")) {
      for (const Member m : tree.members(inputs->value)) names.push_back(tree.text(m.key));
    }
    std::ranges::sort(names);
    return names;
  }

  std::vector<std::string_view> step_names() const {
    std::vector<std::string_view> names;
    for (const StepPlace& step : graph_.steps) names.push_back(tree_.text(step.key));
    return names;
  }

  // Types of the inputs that are sure to have a value.
  Shape inputs_shape() const {
    std::map<std::string, Shape, std::less<>> fields;
    const auto inputs = tree_.find(tree_.root(), "inputs");
    if (inputs) {
      for (const Member m : tree_.members(inputs->value)) {
        if (!is_map(m.value) || tree_.find(m.value, "optional")) continue;
        const auto type = tree_.find(m.value, "type");
        if (!type || tree_.is_collection(type->value)) continue;
        const std::string_view word = tree_.text(type->value);
        if (word == "string") fields.emplace(tree_.text(m.key), Shape::of(Kind::string));
        if (word == "boolean") fields.emplace(tree_.text(m.key), Shape::of(Kind::boolean));
        if (word == "array") fields.emplace(tree_.text(m.key), Shape::list({}));
        if (word == "object") fields.emplace(tree_.text(m.key), Shape::map({}));
      }
    }
    return Shape::object(std::move(fields), false);
  }

  void step(Ordinal ordinal) {
    const NodeId body = graph_.steps[ordinal].body;
    if (!is_map(body)) return;
    const bool mapped = tree_.find(body, "for_each").has_value();
    fields(body, spec::Shape::step, {.step = &ordinal, .items = mapped});
  }

  // The expressions in the fields of a map. Recursion is bounded by the nesting of shapes.
  void fields(NodeId map, spec::Shape shape, const Context& outer) {
    for (const Member m : tree_.members(map)) {
      if (findings_.full()) return;
      const Field* field = find_field(shape, tree_.text(m.key));
      if (field == nullptr) continue;
      Context context = outer;
      context.self |= field->reads_self;
      const Forms forms = field->forms;
      if (shape == spec::Shape::wait && field->name == "until" && !tree_.find(map, "poll")) {
        strings(m.value, outer);  // an instant
      } else if (forms.has(Form::expression)) {
        condition(m.value, field->name, context);
      } else if (forms.has(Form::items)) {
        for_each(m.value, {.step = context.step, .items = false});
      } else if (forms.has(Form::value) || forms.has(Form::values) || forms.has(Form::arguments) ||
                 forms.has(Form::environment) || forms.has(Form::templated) || forms.has(Form::list) ||
                 forms.has(Form::url) || forms.has(Form::headers) || forms.has(Form::parameters)) {
        // The input of a child run would be stored with it.
        context.secrets = field->takes_secrets && !(field->name == "with" && tree_.find(map, "workflow"));
        context.arguments = forms.has(Form::arguments);
        strings(m.value, context);
      } else if (forms.has(Form::object) || forms.has(Form::objects)) {
        fields(m.value, field->shape, context);
        for (const NodeId item : tree_.items(m.value)) fields(item, field->shape, context);
      }
    }
  }

  // All strings of a value. Recursion is bounded by the tree's depth.
  void strings(NodeId node, const Context& context) {
    if (findings_.full()) return;
    if (tree_.is(node, NodeKind::string)) {
      text(node, context);
      return;
    }
    for (const NodeId item : tree_.items(node)) strings(item, context);
    for (const Member m : tree_.members(node)) {
      if (const std::size_t at = tree_.text(m.key).find("${{"); at != std::string_view::npos) {
        findings_.error(m.key, "`${{ }}` is not allowed in keys");
      }
      strings(m.value, context);
    }
  }

  void report(NodeId node, const expr::Diagnostics& diagnostics) {
    for (const expr::Diagnostic& d : diagnostics) {
      findings_.error(node, findings_.inside(node, d.offset, d.length), d.message,
                      d.suggestion.empty() ? "" : "did you mean `" + d.suggestion + "`?");
    }
  }

  expr::Shape text(NodeId node, const Context& context) {
    const std::string_view content = tree_.text(node);
    if (content.find("${{") == std::string_view::npos) return Shape::of(Kind::string);
    const auto parsed = expr::Template::parse(content);
    if (!parsed) {
      report(node, parsed.error());
      return {};
    }
    const expr::Checked checked = expr::check(*parsed, scope_);
    report(node, checked.diagnostics);
    for (const expr::Template::Part& part : parsed->parts()) {
      if (const auto* expression = std::get_if<expr::Expression>(&part.content)) {
        reads(node, part.offset, *expression, context);
      }
    }
    return checked.shape;
  }

  void condition(NodeId node, std::string_view field, const Context& context) {
    if (tree_.is_collection(node) || tree_.is(node, NodeKind::null)) return;  // reported by the table's check
    const std::string_view content = tree_.text(node);
    if (const std::size_t at = content.find("${{"); at != std::string_view::npos) {
      findings_.error(node, findings_.inside(node, at, 3),
                      "`" + std::string(field) + "` is an expression itself", "write it without ${{ and }}");
      return;
    }
    const auto parsed = expr::Expression::parse(content);
    if (!parsed) return report(node, parsed.error());
    const expr::Checked checked = expr::check(*parsed, scope_);
    report(node, checked.diagnostics);
    if (checked.diagnostics.empty() && checked.shape.kind() && checked.shape.kind() != Kind::boolean) {
      findings_.error(node, "`" + std::string(field) + "` must be true or false, but this is " +
                                article(name_of(checked.shape)));
    }
    reads(node, 0, *parsed, context);
  }

  void for_each(NodeId node, const Context& context) {
    if (!tree_.is(node, NodeKind::string)) return strings(node, context);
    const expr::Shape shape = text(node, context);
    if (tree_.text(node).find("${{") == std::string_view::npos) return;  // reported by the table's check
    if (shape.kind() && shape.kind() != Kind::list && shape.kind() != Kind::map) {
      findings_.error(node, "`for_each` needs a list or a map, but this is " + article(name_of(shape)),
                      shape.kind() == Kind::string ? "write one ${{ }} and nothing around it" : "");
    }
  }

  static std::string article(std::string_view kind) {
    const bool vowel = std::string_view("aeiou").find(kind.front()) != std::string_view::npos;
    return (vowel ? "an " : "a ") + std::string(kind);
  }

  // The place of `words` in the expression; the whole expression if it is written in another way.
  Span place(NodeId node, std::size_t offset, const expr::Expression& expression,
             std::string_view words) const {
    const std::size_t found = expression.text().find(words);
    if (found == std::string::npos) return findings_.inside(node, offset, expression.text().size());
    return findings_.inside(node, offset + found, words.size());
  }

  void reads(NodeId node, std::size_t offset, const expr::Expression& expression, const Context& context) {
    for (const expr::Path& path : expression.paths()) {
      const std::string& variable = path[0];
      const auto at = [&](std::string_view words) { return place(node, offset, expression, words); };
      if (context.only_inputs && variable != "inputs") {
        findings_.error(node, at(variable), "`" + shown(variable) + "` is not known here",
                        "what stands here is put together before the run begins: from `inputs`");
      } else if (variable == "steps") {
        read_step(node, expression, offset, path, context);
      } else if (variable == "env") {
        if (path.size() == 1) {
          findings_.error(node, at("env"), "the name of the variable must stand here: env.NAME",
                          "it is taken from the environment when the run is submitted");
        } else {
          if (context.step != nullptr) {
            reads_.of_steps.insert(path[1]);
          } else {
            reads_.of_shared.emplace_back(node, path[1]);
          }
        }
      } else if (variable == "inputs") {
        if (path.size() > 1 && !std::ranges::binary_search(inputs_, std::string_view(path[1]))) {
          unknown_input(node, at(path[1]), path[1]);
        }
      } else if (variable == "secrets") {
        read_secret(node, offset, expression, path, context);
      } else if (variable == "self" && !context.self) {
        findings_.error(node, at("self"), "`self` is not known here");
      } else if ((variable == "item" || variable == "index") && !context.items) {
        findings_.error(node, at(variable), "`" + variable + "` is known only in steps with `for_each`");
      }
    }
  }

  void read_secret(NodeId node, std::size_t offset, const expr::Expression& expression,
                   const expr::Path& path, const Context& context) {
    const Span here = place(node, offset, expression, path.size() > 1 ? "secrets." + path[1] : "secrets");
    if (!context.secrets) {
      return findings_.error(
          node, here, "secrets cannot be read here",
          context.arguments ? "every user of the machine can see a program's arguments; pass it by `env`"
                            : "they can stand in `env`, in `with` of processes and functions, and in the "
                              "url, query, headers and body of `http`");
    }
    const auto name = expr::secret_named(expression);
    if (!name) {
      return findings_.error(node, here, "a secret can only stand as it is: `${{ secrets.NAME }}`",
                             "compute with it in the step itself");
    }
    if (!is_name(*name)) {
      return findings_.error(
          node, here, "\"" + shown(*name) + "\" is no name of a secret",
          "names have letters, digits, `.`, `_` and `-`, and begin with a letter or digit");
    }
    if (const auto allowed = allowed_secrets(context); allowed && !allowed->contains(*name)) {
      return findings_.error(node, here, "the step's `secrets` do not have \"" + shown(*name) + "\"",
                             "add it there, or leave `secrets` out");
    }
    reads_.secrets.insert(*name);
  }

  // What a step's `secrets` names, if it has that.
  std::optional<std::set<std::string_view>> allowed_secrets(const Context& context) const {
    if (context.step == nullptr) return std::nullopt;
    const auto list = tree_.find(graph_.steps[*context.step].body, "secrets");
    if (!list) return std::nullopt;
    std::set<std::string_view> names;
    for (const NodeId item : tree_.items(list->value)) {
      if (!tree_.is_collection(item)) names.insert(tree_.text(item));
    }
    return names;
  }

  void unknown_input(NodeId node, Span span, std::string_view name) {
    const std::string_view meant = input_suggester_.nearest_to(name);
    std::string help = "declare it under `inputs`";
    if (!meant.empty()) help = "did you mean `inputs." + shown(meant) + "`?";
    findings_.error(node, span, "unknown input \"" + shown(name) + "\"", std::move(help));
  }

  void read_step(NodeId node, const expr::Expression& expression, std::size_t offset, const expr::Path& path,
                 const Context& context) {
    const auto at = [&](std::string_view words) { return place(node, offset, expression, words); };
    if (context.step == nullptr) {
      return findings_.error(node, at("steps"), "`steps` is not known here: this holds for all steps",
                             "move it to the `env` of the step that needs it");
    }
    const bool finally = graph_.steps[*context.step].finally;
    if (path.size() == 1) {
      // Only a finally step sees all steps, so only there it does not matter which one is meant.
      if (!finally) {
        findings_.error(node, at("steps"),
                        "the name of a step must stand here: steps.NAME or steps[\"NAME\"]");
      }
      return;
    }
    const std::string dotted = "steps." + path[1];
    const auto found = graph_.ordinals.find(path[1]);
    if (found == graph_.ordinals.end()) return unknown_step(node, at(dotted), path[1]);
    const Ordinal target = found->second;
    if (path.size() > 2 && std::ranges::find(kStepFields, path[2]) == std::end(kStepFields)) {
      // The checker has reported it.
      return;
    }
    if (target == *context.step) {
      return findings_.error(node, at(dotted), "a step cannot read its own result");
    }
    const bool target_finally = graph_.steps[target].finally;
    if (finally && !target_finally) return;
    if (!finally && target_finally) {
      return findings_.error(
          node, at(dotted),
          "\"" + shown(path[1]) + "\" stands under `finally`: it starts when all steps are over");
    }
    if (graph_.needs_directly(*context.step, target)) return;
    queries_.push_back({*context.step, target});
    query_places_.push_back({node, at(dotted)});
  }

  void unknown_step(NodeId node, Span span, std::string_view name) {
    // steps.fetch-data is a subtraction: the name of the step has to be in brackets.
    for (const std::string_view other : findings_.full() ? std::vector<std::string_view>{} : steps_) {
      if (other.size() > name.size() && other.starts_with(name) && other[name.size()] == '-') {
        return findings_.error(node, span, "unknown step \"" + shown(name) + "\"",
                               "a name with `-` stands in brackets: steps[\"" + shown(other) + "\"]");
      }
    }
    const std::string_view meant = step_suggester_.nearest_to(name);
    findings_.error(node, span, "unknown step \"" + shown(name) + "\"",
                    meant.empty() ? "" : "did you mean \"" + shown(meant) + "\"?");
  }

  void ancestors() {
    if (graph_.order.empty()) return;  // a cycle has been reported
    const std::vector<bool> known = are_ancestors(graph_, queries_);
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (known[i] || findings_.full()) continue;
      const auto [step, target] = queries_[i];
      const std::string reader = shown(tree_.text(graph_.steps[step].key));
      const std::string read = shown(tree_.text(graph_.steps[target].key));
      // Adding the need would close a circle if the step that is read comes later itself.
      const AncestorQuery reversed{target, step};
      const bool circle = are_ancestors(graph_, {&reversed, 1})[0];
      findings_.error(query_places_[i].first, query_places_[i].second,
                      "step \"" + reader + "\" reads steps." + read + " but does not need it",
                      circle ? "\"" + read + "\" runs after \"" + reader + "\""
                             : "add " + read + " to the `needs` of " + reader);
    }
  }

  const Tree& tree_;
  const Graph& graph_;
  Findings& findings_;
  std::vector<std::string_view> inputs_;
  std::vector<std::string_view> steps_;
  Suggester input_suggester_{inputs_};
  Suggester step_suggester_{steps_};
  expr::Scope scope_;
  Reads reads_;
  std::vector<AncestorQuery> queries_;
  std::vector<std::pair<NodeId, Span>> query_places_;
};

}  // namespace

Reads check_references(const Tree& tree, const Graph& graph, Findings& findings) {
  return References(tree, graph, findings).check();
}

}  // namespace baton::spec
