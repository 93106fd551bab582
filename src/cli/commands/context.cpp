// baton context: servers by name.
#include <algorithm>

#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/contexts.hpp"
#include "cli/output.hpp"
#include "net/url.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string name;
  std::string key_file;
};

std::string where() {
  return contexts_path(process_environment());
}

int change(const Context& context, const std::function<Status(Contexts&)>& what, const std::string& said) {
  const auto lock = lock_contexts(where());
  if (!lock) return context.fail(lock.error());
  auto contexts = load_contexts(where());
  if (!contexts) return context.fail(contexts.error());
  if (const auto done = what(*contexts); !done) return context.fail(done.error());
  if (const auto saved = save_contexts(where(), *contexts); !saved) return context.fail(saved.error());
  context.console.note(said);
  return kOk;
}

std::unexpected<Error> unknown(const Contexts& contexts, const std::string& name) {
  std::vector<std::string_view> names{kLocalContext};
  for (const ServerContext& one : contexts.all) names.push_back(one.name);
  const std::string_view near = nearest(name, names);
  return fail(ErrorCode::not_found,
              "there is no context \"" + printable(name) + "\"" +
                  (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
}

int add(const Context& context, const Options& options) {
  const auto& remote = context.settings.remote;
  const bool given = std::ranges::any_of(context.settings.all, [](const Setting& setting) {
    return setting.name == "url" && !setting.value.empty() && !setting.origin.starts_with("context ");
  });
  if (!remote || !given) {
    context.console.error("where is the server? --url https://HOST:PORT");
    return kUsage;
  }
  if (!is_name(options.name) || options.name == kLocalContext) {
    context.console.error("\"" + printable(options.name) + "\" cannot be the name of a context");
    return kUsage;
  }
  ServerContext added{options.name, remote->url, remote->key, remote->ca_file, context.settings.space};
  if (const std::string& file = options.key_file.empty() ? remote->key_file : options.key_file;
      !file.empty()) {
    auto key = read_key_file(file);
    if (!key) return context.fail(key.error());
    added.key = std::move(*key);
  }
  return change(
      context,
      [&](Contexts& contexts) -> Status {
        std::erase_if(contexts.all, [&](const ServerContext& one) { return one.name == added.name; });
        contexts.all.push_back(added);
        std::ranges::sort(contexts.all, {}, &ServerContext::name);
        contexts.current = added.name;
        return {};
      },
      "commands go to " + one_line(added.url) + " now; baton context use local: to this machine");
}

int use(const Context& context, const Options& options) {
  return change(
      context,
      [&](Contexts& contexts) -> Status {
        if (options.name != kLocalContext && contexts.find(options.name) == nullptr)
          return unknown(contexts, options.name);
        contexts.current = options.name == kLocalContext ? "" : options.name;
        return {};
      },
      options.name == kLocalContext ? "commands go to the data directory of this machine now"
                                    : "commands go to " + one_line(options.name) + " now");
}

int remove(const Context& context, const Options& options) {
  return change(
      context,
      [&](Contexts& contexts) -> Status {
        if (contexts.find(options.name) == nullptr) return unknown(contexts, options.name);
        std::erase_if(contexts.all, [&](const ServerContext& one) { return one.name == options.name; });
        if (contexts.current == options.name) contexts.current.clear();
        return {};
      },
      one_line(options.name) + " is forgotten; its key is still valid: baton keys revoke");
}

int list(const Context& context) {
  const auto contexts = load_contexts(where());
  if (!contexts) return context.fail(contexts.error());
  std::vector<json::object> items;
  items.push_back({{"name", kLocalContext},
                   {"url", nullptr},
                   {"in_use", contexts->current.empty()},
                   {"key", false},
                   {"namespace", nullptr}});
  for (const ServerContext& one : contexts->all) {
    items.push_back({{"name", one.name},
                     {"url", one.url},
                     {"in_use", one.name == contexts->current},
                     {"key", !one.key.empty()},
                     {"namespace", one.space.empty() ? json::value(nullptr) : json::value(one.space)}});
  }
  const auto mark = [](const char* field, const char* text) {
    return [=](const json::object& row, const Style&) -> std::string {
      return row.at(field).as_bool() ? text : "";
    };
  };
  const Column columns[] = {
      {"", mark("in_use", "*")},
      {"CONTEXT", [](const json::object& row, const Style&) { return cell_of(row, "name"); }},
      {"URL", [](const json::object& row, const Style&) { return cell_of(row, "url"); }, false, 1},
      {"KEY", mark("key", "yes")},
      {"NAMESPACE", [](const json::object& row, const Style&) { return cell_of(row, "namespace"); }}};
  print_list(context.console, context.settings.output, std::move(items), "", columns);
  return kOk;
}

}  // namespace

void add_context(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& contexts = *program.app().add_subcommand("context", "Says which server commands go to");
  contexts.require_subcommand(1);
  const auto name = [options](CLI::App& command) {
    command.add_option("name", options->name, "Its name; local: this machine")->required()->type_name("NAME");
  };
  program.command(contexts, "list", "Lists the servers that are known", list);
  CLI::App& added = program.command(
      contexts, "add", "Keeps a server (--url), a key for it and a namespace, and goes there from now on",
      [options](const Context& c) { return add(c, *options); });
  name(added);
  added
      .add_option("--key-file", options->key_file,
                  "The key, in the first line of a file; - is standard input")
      ->type_name("FILE");
  name(program.command(contexts, "use", "Goes to a server from now on, or to this machine (local)",
                       [options](const Context& c) { return use(c, *options); }));
  name(program.command(contexts, "remove", "Forgets a server and its key",
                       [options](const Context& c) { return remove(c, *options); }));
}

}  // namespace baton::cli
