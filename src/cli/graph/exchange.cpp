#include "cli/graph/exchange.hpp"

#include <boost/json/array.hpp>

#include "cli/graph/links.hpp"
#include "cli/output.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

// Text between quotes: Mermaid knows HTML entities, so none of its own characters can come through.
std::string mermaid_text(std::string_view text) {
  std::string out;
  for (const char c : one_line(text)) {
    switch (c) {
      case '"':
        out += "#quot;";
        break;
      case '#':
        out += "#35;";
        break;
      case '<':
        out += "#lt;";
        break;
      case '>':
        out += "#gt;";
        break;
      case '&':
        out += "#amp;";
        break;
      case '`':
        out += "#96;";
        break;
      case '\\':
        out += "#92;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string dot_text(std::string_view text) {
  std::string out;
  for (const char c : one_line(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value() : json::value(text);
}

}  // namespace

std::string to_mermaid(const spec::Outline& outline) {
  const Links links(outline, true);
  std::string out = "flowchart TD\n";
  const auto node = [&](Ordinal i, std::string_view indent) {
    const auto& step = outline.steps[i];
    std::string label = mermaid_text(step.name);
    for (const std::string& note : links.notes(i)) label += "<br/><small>" + mermaid_text(note) + "</small>";
    const bool branches = !step.branches.empty();
    out += std::string(indent) + "s" + std::to_string(i) + (branches ? "{\"" : "[\"") + label +
           (branches ? "\"}" : "\"]") + (links.conditional(i) ? ":::conditional" : "") + "\n";
  };
  bool any_finally = false;
  bool any_conditional = false;
  for (Ordinal i = 0; i < outline.steps.size(); ++i) {
    any_conditional = any_conditional || links.conditional(i);
    any_finally = any_finally || outline.steps[i].finally;
    if (!outline.steps[i].finally) node(i, "  ");
  }
  if (any_finally) {
    out += "  subgraph finally\n";
    for (Ordinal i = 0; i < outline.steps.size(); ++i) {
      if (outline.steps[i].finally) node(i, "    ");
    }
    out += "  end\n";
  }
  for (Ordinal i = 0; i < outline.steps.size(); ++i) {
    for (const Ordinal before : links.before(i)) {
      out += "  s" + std::to_string(before) + (links.conditional(i) ? " -.-> s" : " --> s") +
             std::to_string(i) + "\n";
    }
  }
  if (any_conditional) out += "  classDef conditional stroke-dasharray: 4 3\n";
  return out;
}

std::string to_dot(const spec::Outline& outline) {
  const Links links(outline, true);
  std::string out = "digraph \"" + dot_text(outline.name) + "\" {\n  node [shape=box, style=rounded];\n";
  const auto node = [&](Ordinal i, std::string_view indent) {
    const auto& step = outline.steps[i];
    std::string label = dot_text(step.name);
    for (const std::string& note : links.notes(i)) label += "\\n" + dot_text(note);
    out += std::string(indent) + "\"" + dot_text(step.name) + "\" [label=\"" + label + "\"" +
           (step.branches.empty() ? "" : ", shape=diamond") +
           (links.conditional(i) ? ", style=\"rounded,dashed\"" : "") + "];\n";
  };
  bool any_finally = false;
  for (Ordinal i = 0; i < outline.steps.size(); ++i) {
    any_finally = any_finally || outline.steps[i].finally;
    if (!outline.steps[i].finally) node(i, "  ");
  }
  if (any_finally) {
    out += "  subgraph cluster_finally {\n    label=\"finally\"; style=dashed;\n";
    for (Ordinal i = 0; i < outline.steps.size(); ++i) {
      if (outline.steps[i].finally) node(i, "    ");
    }
    out += "  }\n";
  }
  for (Ordinal i = 0; i < outline.steps.size(); ++i) {
    for (const Ordinal before : links.before(i)) {
      out += "  \"" + dot_text(outline.steps[before].name) + "\" -> \"" + dot_text(outline.steps[i].name) +
             "\"" + (links.conditional(i) ? " [style=dashed]" : "") + ";\n";
    }
  }
  return out + "}\n";
}

json::object to_json(const spec::Outline& outline) {
  json::object object;
  object["workflow"] = outline.name;
  object["title"] = text_or_null(outline.title);
  json::array steps;
  steps.reserve(outline.steps.size());
  for (const auto& step : outline.steps) {
    json::array needs;
    for (const Ordinal need : step.needs) needs.emplace_back(outline.steps[need].name);
    json::array branches;
    for (const auto& branch : step.branches) {
      branches.push_back(
          json::object{{"step", outline.steps[branch.target].name}, {"when", text_or_null(branch.when)}});
    }
    steps.push_back(json::object{{"name", step.name},
                                 {"title", text_or_null(step.title)},
                                 {"kind", step.kind},
                                 {"phase", step.finally ? "finally" : "steps"},
                                 {"needs", std::move(needs)},
                                 {"branches", std::move(branches)},
                                 {"when", text_or_null(step.when)},
                                 {"for_each", text_or_null(step.for_each)}});
  }
  object["steps"] = std::move(steps);
  return object;
}

}  // namespace baton::cli
