// What is wrong with a definition, for the terminal.
#pragma once

#include <span>
#include <string>

#include "cli/console.hpp"
#include "spec/diagnostic.hpp"

namespace baton::cli {

inline constexpr std::size_t kMaxDefinition = std::size_t{16} << 20;

// How messages call a file: standard input has a name too.
std::string display_name(const std::string& file);

// On stderr, with the lines of the file and carets; at most 50 of them, then their number.
void show_diagnostics(Console& console, std::span<const spec::Diagnostic> diagnostics);

}  // namespace baton::cli
