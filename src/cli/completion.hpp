// Completion scripts, made of the table of commands and flags.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace baton::cli {

// `shell`: bash, zsh or fish.
std::string completion_script(const CLI::App& app, std::string_view shell);

}  // namespace baton::cli
