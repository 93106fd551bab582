#include "calendar/zones.hpp"
#include "cli/commands/commands.hpp"
#include "cli/diagnostics.hpp"
#include "cli/files.hpp"
#include "cli/output.hpp"
#include "expr/expr.hpp"
#include "expr/json.hpp"

namespace baton::cli {
namespace {

struct Options {
  std::string expression;
  std::string vars;
  bool typed = false;
};

// An object whose members are the variables.
Result<std::shared_ptr<const boost::json::value>> read_variables(const std::string& file) {
  boost::json::value value;
  if (!file.empty()) {
    TRY(value, read_value_file(file, kMaxDefinition));
  }
  if (value.is_null()) value = boost::json::object();
  if (!value.is_object())
    return fail(ErrorCode::usage, display_name(file) + ": the variables must be an object");
  return std::make_shared<const boost::json::value>(std::move(value));
}

int report(const Context& context, const std::string& text, const expr::Diagnostics& diagnostics) {
  for (const expr::Diagnostic& diagnostic : diagnostics) {
    context.console.err(context.console.err_style().red("error:") + ' ' +
                        expr::render_caret(text, diagnostic) + '\n');
  }
  return kUsage;
}

int evaluate(const Context& context, const Options& options) {
  const auto document = read_variables(options.vars);
  if (!document) return context.fail(document.error());
  const auto expression = expr::Expression::parse(options.expression);
  if (!expression) return report(context, options.expression, expression.error());
  // Open: the variables' kinds are the business of the evaluation.
  expr::Scope scope;
  scope.open = true;
  const expr::Checked checked = expr::check(*expression, scope);
  if (!checked.diagnostics.empty()) return report(context, options.expression, checked.diagnostics);

  const auto variables = expr::Variables::from_json(*document);
  if (!variables) return context.fail(variables.error());
  const auto zones = calendar::ZoneTable::load();
  const auto value =
      expr::evaluate(*expression, *variables, {}, zones ? *zones : calendar::ZoneTable::utc_only());
  if (!value) return context.fail(value.error());
  const auto json = options.typed ? expr::to_typed_json(*value) : expr::to_json(*value);
  if (!json) return context.fail(json.error());
  switch (context.settings.output) {
    case Format::table:
    case Format::jsonl:
      context.console.out(to_json_line(*json));
      break;
    case Format::json:
      context.console.out(to_pretty_json(*json));
      break;
    case Format::yaml:
      context.console.out(to_yaml(*json));
      break;
  }
  return kOk;
}

}  // namespace

void add_eval(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      program.command(program.app(), "eval", "Evaluates an expression",
                      [options](const Context& context) { return evaluate(context, *options); });
  command.add_option("expression", options->expression, "In CEL, without ${{ }}")
      ->required()
      ->type_name("EXPRESSION");
  command
      .add_option("--vars", options->vars, "Variables: an object in a JSON or YAML file; - is standard input")
      ->type_name("FILE");
  command.add_flag("--typed", options->typed, "Prints {\"type\", \"value\"}");
}

}  // namespace baton::cli
