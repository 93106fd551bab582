#include "cli/diagnostics.hpp"

#include <algorithm>

namespace baton::cli {
namespace {

constexpr std::size_t kShown = 50;

// The word behind the place, and the caret's line.
std::string coloured(const spec::Diagnostic& diagnostic, const Style& style) {
  std::string text = spec::render(diagnostic);
  if (!style.colour) return text;
  const bool error = diagnostic.severity == spec::Severity::error;
  const std::string word = error ? "error:" : "warning:";
  const std::size_t at = text.find(word);
  if (at != std::string::npos) text.replace(at, word.size(), error ? style.red(word) : style.yellow(word));
  return text;
}

}  // namespace

std::string display_name(const std::string& file) {
  return file == "-" ? "standard input" : file;
}

void show_diagnostics(Console& console, std::span<const spec::Diagnostic> diagnostics) {
  for (const spec::Diagnostic& diagnostic : diagnostics.first(std::min(kShown, diagnostics.size()))) {
    console.err(coloured(diagnostic, console.err_style()));
  }
  if (diagnostics.size() > kShown) {
    console.err("… and " + std::to_string(diagnostics.size() - kShown) + " more\n");
  }
}

}  // namespace baton::cli
