// The command line as a whole: what every command shares.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "cli/console.hpp"
#include "cli/settings.hpp"

namespace baton::cli {

inline constexpr const char* kVersion = BATON_VERSION;

// Exit codes that are not an error's (PRODUCT §7); those stand in the table of error codes.
inline constexpr int kOk = 0;
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;
inline constexpr int kRunFailed = 3;

// What a command gets when it runs.
struct Context {
  const Settings& settings;
  Console& console;

  // Prints the error; returns its exit code.
  int fail(const Error& error) const;
};

// How a list goes on, for the forms of output that do not say it themselves.
void say_more(const Context& context, const std::string& cursor);

class Program {
 public:
  // `first`: the first word of the command line. If it is a command, only that one is made: all of them are a
  // megabyte of descriptions, which a server would keep for as long as it runs. "" = all.
  explicit Program(std::string_view first = {});

  CLI::App& app() { return app_; }
  // A command with the flags that all commands share.
  CLI::App& command(CLI::App& parent, const std::string& name, const std::string& description,
                    std::function<int(const Context&)> action);
  int run(int argc, char** argv);

 private:
  int usage_error(const std::string& message, const CLI::App& at);

  Console console_;
  Flags flags_;
  CLI::App app_;
  std::function<int(const Context&)> action_;
};

}  // namespace baton::cli
