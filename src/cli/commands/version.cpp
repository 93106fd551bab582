#include <boost/version.hpp>
#include <string>

#include "cli/commands/commands.hpp"
#include "cli/output.hpp"

namespace baton::cli {
namespace {

int show(const Context& context, bool verbose) {
  boost::json::object facts;
  facts["version"] = kVersion;
  if (verbose) {
    facts["api"] = "v1";
    facts["compiler"] = __VERSION__;
    facts["standard"] = static_cast<std::int64_t>(__cplusplus);
#ifdef NDEBUG
    facts["build"] = "release";
#else
    facts["build"] = "debug";
#endif
    facts["boost"] = BOOST_LIB_VERSION;
    facts["sqlite"] = BATON_SQLITE_VERSION;
    facts["cli11"] = CLI11_VERSION;
    facts["data_dir"] = context.settings.data_dir;
  }
  print_object(context.console, context.settings.output, facts, [&](const Style& style) {
    std::string text = "baton " + std::string(kVersion) + '\n';
    for (const auto& [key, value] : facts) {
      if (key == "version") continue;
      text += style.dim(std::string(key) + std::string(10 - std::min<std::size_t>(9, key.size()), ' ')) +
              cell_of(facts, key) + '\n';
    }
    return text;
  });
  return kOk;
}

}  // namespace

void add_version(Program& program) {
  const auto verbose = std::make_shared<bool>(false);
  CLI::App& command = program.command(program.app(), "version", "Shows the version",
                                      [verbose](const Context& context) { return show(context, *verbose); });
  command.add_flag("--verbose,-v", *verbose, "Adds compiler, libraries and the data directory");
}

}  // namespace baton::cli
