// baton completion, baton manual: what shells and man(1) know of the command line, made of its table.
#include "cli/completion.hpp"

#include "cli/commands/commands.hpp"
#include "cli/manual.hpp"

namespace baton::cli {

void add_completion(Program& program) {
  const auto shell = std::make_shared<std::string>();
  CLI::App& command = program.command(program.app(), "completion", "Prints a completion script for a shell",
                                      [shell, &program](const Context& context) {
                                        context.console.out(completion_script(program.app(), *shell));
                                        return kOk;
                                      });
  command.add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->type_name("SHELL")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""));

  program.command(program.app(), "manual", "Prints the manual page, for man",
                  [&program](const Context& context) {
                    context.console.out(manual_page(program.app()));
                    return kOk;
                  });
}

}  // namespace baton::cli
