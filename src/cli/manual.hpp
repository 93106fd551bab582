// The manual page, made of the table of commands and flags.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace baton::cli {

// baton(1) in the roff of man(7).
std::string manual_page(const CLI::App& app);

}  // namespace baton::cli
