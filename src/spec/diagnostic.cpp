#include "spec/diagnostic.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <cassert>

#include "base/text.hpp"

namespace baton::spec {
namespace {

std::string_view word(Severity severity) {
  return severity == Severity::error ? "error" : "warning";
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// The part of `line` that holds its first `count` characters.
std::string_view first_characters(std::string_view line, std::size_t count) {
  std::size_t at = 0;
  while (at < line.size() && count > 0) {
    ++at;
    while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0) == 0x80) ++at;
    --count;
  }
  return line.substr(0, at);
}

// Tabs become one space, so that the caret stands where it should.
std::string displayed(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '\t', ' ');
  return printable(spaced);
}

}  // namespace

std::string render(const Diagnostic& d) {
  std::string out = printable(d.file) + ":" + std::to_string(d.line) + ":" + std::to_string(d.column) + ": " +
                    std::string(word(d.severity)) + ": " + d.message + "\n";
  if (!d.source_line.empty()) {
    // A window around the place: lines of a one-line JSON file are long.
    constexpr std::size_t kWidth = 100;
    const std::size_t column = d.column - 1;
    const bool long_line = characters(d.source_line) > kWidth;
    const std::size_t cut = long_line && column > kWidth * 3 / 4 ? column - kWidth / 2 : 0;
    const std::string_view from =
        std::string_view(d.source_line).substr(first_characters(d.source_line, cut).size());
    const std::string_view shown = first_characters(from, kWidth);
    const std::string_view before = first_characters(shown, column - cut);
    const std::string_view marked = first_characters(shown.substr(before.size()), d.end_column - d.column);
    const std::string dots = cut > 0 ? "…" : "";
    out += "    " + dots + displayed(shown) + (shown.size() < from.size() ? "…" : "") + "\n";
    const std::size_t length = std::max<std::size_t>(1, characters(displayed(marked)));
    out += std::string(4 + characters(dots) + characters(displayed(before)), ' ') + "^" +
           std::string(length - 1, '~') + "\n";
  }
  if (!d.suggestion.empty()) out += "  help: " + d.suggestion + "\n";
  return out;
}

std::string render(std::span<const Diagnostic> diagnostics) {
  std::string out;
  for (const Diagnostic& d : diagnostics) out += render(d);
  return out;
}

boost::json::array to_json(std::span<const Diagnostic> diagnostics) {
  boost::json::array array;
  array.reserve(diagnostics.size());
  for (const Diagnostic& d : diagnostics) {
    array.push_back(boost::json::object{{"file", d.file},
                                        {"line", d.line},
                                        {"column", d.column},
                                        {"end_column", d.end_column},
                                        {"severity", boost::json::string_view(word(d.severity))},
                                        {"code", boost::json::string_view(info(d.code).name)},
                                        {"message", d.message},
                                        {"suggestion", d.suggestion},
                                        {"path", d.path}});
  }
  return array;
}

Error to_error(std::span<const Diagnostic> diagnostics) {
  const auto first = std::ranges::find(diagnostics, Severity::error, &Diagnostic::severity);
  assert(first != diagnostics.end());
  // A definition that is wrong anywhere is invalid; one that is only ahead of this version is unsupported.
  const bool only_unsupported = std::ranges::all_of(diagnostics, [](const Diagnostic& d) {
    return d.severity != Severity::error || d.code == ErrorCode::unsupported;
  });
  return {only_unsupported ? ErrorCode::unsupported : ErrorCode::invalid_definition, render(diagnostics),
          first->path};
}

}  // namespace baton::spec
