#include "cli/settings.hpp"

#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <span>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "cli/contexts.hpp"
#include "cli/files.hpp"
#include "embedded/owner.hpp"
#include "spec/findings.hpp"
#include "spec/read.hpp"

namespace baton::cli {
namespace {

struct Key {
  std::string_view name;
  const char* environment;
  std::string_view flag;       // "" = none
  std::string Flags::* given;  // null = none
  bool list = false;           // several values; as text they stand between commas
  bool secret = false;         // not shown
  bool path = false;           // in the file: relative to it, or to the home directory with a ~
};
constexpr std::array kKeys = {
    Key{"data", "BATON_DATA", "--data", &Flags::data, false, false, true},
    Key{"concurrency", "BATON_CONCURRENCY", "--concurrency", &Flags::concurrency},
    Key{"output", "BATON_OUTPUT", "--output", &Flags::output},
    Key{"listen", "BATON_LISTEN", "--listen", &Flags::listen},
    Key{"tls.cert", "BATON_TLS_CERT", "--tls-cert", &Flags::tls_cert, false, false, true},
    Key{"tls.key", "BATON_TLS_KEY", "--tls-key", &Flags::tls_key, false, false, true},
    Key{"hosts", "BATON_HOSTS", "", nullptr, true},
    Key{"cors.origins", "BATON_CORS_ORIGINS", "", nullptr, true},
    Key{"seed.submit_workflow", "BATON_SEED_SUBMIT_WORKFLOW", "", nullptr},
    Key{"trusted_proxies", "BATON_TRUSTED_PROXIES", "--trusted-proxy", &Flags::trusted_proxies, true},
    Key{"url", "BATON_URL", "--url", &Flags::url},
    Key{"api_key", "BATON_API_KEY", "", nullptr, false, true},
    Key{"api_key_file", "BATON_API_KEY_FILE", "", nullptr, false, false, true},
    Key{"ca_file", "BATON_CA_FILE", "--ca-file", &Flags::ca_file, false, false, true},
    Key{"namespace", "BATON_NAMESPACE", "--namespace", &Flags::space},
    Key{"secrets.key_file", "BATON_SECRETS_KEY_FILE", "", nullptr, false, false, true},
    Key{"min_free_space", "BATON_MIN_FREE_SPACE", "", nullptr},
    Key{"retention.completed", "BATON_RETENTION_COMPLETED", "", nullptr},
    Key{"retention.failed", "BATON_RETENTION_FAILED", "", nullptr},
    Key{"egress.deny", "BATON_EGRESS_DENY", "", nullptr, true},
    Key{"egress.allow", "BATON_EGRESS_ALLOW", "", nullptr, true},
    Key{"log.level", "BATON_LOG_LEVEL", "", nullptr},
    Key{"log.format", "BATON_LOG_FORMAT", "", nullptr},
    Key{"log.file", "BATON_LOG_FILE", "", nullptr, false, false, true},
};

std::string default_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kDefaults = {
      {{"concurrency", "auto"},
       {"output", "table"},
       {"listen", "127.0.0.1:7711"},
       {"min_free_space", "auto"},
       {"retention.completed", "30d"},
       {"retention.failed", "90d"},
       {"log.level", "info"},
       {"log.format", "text"}}};
  if (name == "data") return embedded::default_data_dir();
  const auto* found =
      std::ranges::find(kDefaults, name, &std::pair<std::string_view, std::string_view>::first);
  return found == kDefaults.end() ? "" : std::string(found->second);
}

std::string home(const Environment& environment) {
  return environment("HOME").value_or("/");
}

std::string expand_home(std::string path, const Environment& environment) {
  if (path == "~" || path.starts_with("~/")) return home(environment) + path.substr(1);
  return path;
}

std::unexpected<Error> wrong_file(const std::string& file, const spec::Tree& tree, spec::NodeId node,
                                  std::string message) {
  spec::Diagnostic place;
  spec::set_place(place, tree.source(), tree[node].span);
  const std::string where = file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  return fail(ErrorCode::bad_configuration, where + ": " + std::move(message), where);
}

// The values of the file, in the order of kKeys.
using FileValues = std::array<Setting, kKeys.size()>;

// The text of a setting's value; a list as its texts between commas.
Result<std::string> value_text(const std::string& file, const spec::Tree& tree, const Key& key,
                               spec::NodeId node) {
  const auto plain = [&](spec::NodeId n) {
    return !tree.is_collection(n) && !tree.is(n, spec::NodeKind::null);
  };
  if (plain(node)) return std::string(tree.text(node));
  if (!key.list || !tree.is(node, spec::NodeKind::list)) {
    return wrong_file(file, tree, node,
                      "\"" + std::string(key.name) + "\" must be a text or a number" +
                          (key.list ? ", or a list of these" : ""));
  }
  std::string joined;
  for (const spec::NodeId item : tree.items(node)) {
    if (!plain(item))
      return wrong_file(file, tree, item, "each of \"" + std::string(key.name) + "\" must be a text");
    joined += (joined.empty() ? "" : ", ") + std::string(tree.text(item));
  }
  return joined;
}

// `prefix`: where the map stands, "egress.".
Status read_map(const std::string& file, const spec::Tree& tree, spec::NodeId map, const std::string& prefix,
                FileValues& values) {
  for (const spec::Member member : tree.members(map)) {
    const std::string name = prefix + std::string(tree.text(member.key));
    const auto* key = std::ranges::find(kKeys, std::string_view(name), &Key::name);
    if (key != kKeys.end()) {
      Setting& setting = values[static_cast<std::size_t>(key - kKeys.begin())];
      TRY(setting.value, value_text(file, tree, *key, member.value));
      spec::Diagnostic place;
      spec::set_place(place, tree.source(), tree[member.value].span);
      setting.origin = file + ":" + std::to_string(place.line);
      continue;
    }
    if (std::ranges::any_of(kKeys, [&](const Key& k) { return k.name.starts_with(name + "."); })) {
      if (!tree.is(member.value, spec::NodeKind::map)) {
        return wrong_file(file, tree, member.value, "\"" + name + "\" must be a map");
      }
      TRY_VOID(read_map(file, tree, member.value, name + ".", values));
      continue;
    }
    std::string message = "unknown setting \"" + printable(name) + "\"";
    std::array<std::string_view, kKeys.size()> names;
    std::ranges::transform(kKeys, names.begin(), &Key::name);
    const std::string_view near = nearest(name, names);
    if (!near.empty()) message += "; did you mean \"" + std::string(near) + "\"?";
    return wrong_file(file, tree, member.key, std::move(message));
  }
  return {};
}

Result<FileValues> read_file(const std::string& file, const std::string& text) {
  FileValues values;
  const auto tree = spec::read_tree(file, text, {});
  if (!tree) {
    spec::Diagnostic place;
    spec::set_place(place, text, tree.error().span);
    return fail(ErrorCode::bad_configuration, file + ":" + std::to_string(place.line) + ":" +
                                                  std::to_string(place.column) + ": " + tree.error().message);
  }
  if (tree->root() == spec::kNoNode || tree->is(tree->root(), spec::NodeKind::null)) return values;
  if (!tree->is(tree->root(), spec::NodeKind::map)) {
    return wrong_file(file, *tree, tree->root(), "the configuration must be a map of names to values");
  }
  TRY_VOID(read_map(file, *tree, tree->root(), "", values));
  return values;
}

std::string config_folder(const Environment& environment) {
  return environment("XDG_CONFIG_HOME").value_or(home(environment) + "/.config") + "/baton";
}

// The configuration file: --config, BATON_CONFIG, or the usual place if there is one.
Result<std::string> find_file(const Flags& flags, const Environment& environment) {
  if (!flags.config.empty()) return std::filesystem::absolute(flags.config).string();
  if (const auto named = environment("BATON_CONFIG")) return std::filesystem::absolute(*named).string();
  const std::string usual = config_folder(environment) + "/config.yaml";
  std::error_code ignored;
  return std::filesystem::exists(usual, ignored) ? usual : std::string();
}

// What is denied in any case, in front of what is denied besides.
std::string all_denied(const std::string& besides) {
  std::string text;
  for (const std::string_view range : executors::http::usually_denied()) {
    text += (text.empty() ? "" : ", ") + std::string(range);
  }
  return text + (besides.empty() ? "" : ", " + besides);
}

// Bytes, or with a unit of 1,024: "512MiB".
std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, int>, 4> kUnits = {
      {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(stop - text.data()));
  if (unit.empty()) return number;
  const auto* found = std::ranges::find(kUnits, unit, &std::pair<std::string_view, int>::first);
  if (found == kUnits.end() || number > (~std::uint64_t{0} >> found->second)) return std::nullopt;
  return number << found->second;
}

Remote& remote_of(Settings& settings) {
  if (!settings.remote) settings.remote.emplace();
  return *settings.remote;
}

// How strongly something was said.
int strength(const Setting& setting) {
  if (setting.origin.starts_with("flag ")) return 3;
  if (setting.origin.starts_with("environment ")) return 2;
  return setting.origin == "default" ? 0 : 1;
}

Setting& setting_of(Settings& settings, std::string_view name) {
  return *std::ranges::find(settings.all, name, &Setting::name);
}

// A key or a file with it: what was said more strongly counts, and of equals the key.
void choose_key(Settings& settings) {
  if (!settings.remote || settings.remote->key.empty() || settings.remote->key_file.empty()) return;
  const bool file =
      strength(setting_of(settings, "api_key_file")) > strength(setting_of(settings, "api_key"));
  (file ? settings.remote->key : settings.remote->key_file).clear();
}

// A server or a data directory: what was said more strongly counts, and of equals the server. Where neither
// was said, the context that is in use.
Status choose_place(const Environment& environment, Settings& settings) {
  Setting& url = setting_of(settings, "url");
  const int data = strength(setting_of(settings, "data"));
  if (!url.value.empty() && strength(url) >= data) return {};
  const bool local = data > strength(url);
  const Remote given = std::exchange(settings.remote, std::nullopt).value_or(Remote{});
  if (local || !url.value.empty()) return {};
  TRY(const Contexts contexts, load_contexts(contexts_path(environment)));
  const ServerContext* context = contexts.find(contexts.current);
  if (context == nullptr) return {};
  TRY(auto endpoint, net::parse_endpoint(context->url));
  const bool own_key = !given.key.empty() || !given.key_file.empty();
  settings.remote = Remote{context->url, std::move(endpoint), own_key ? given.key : context->key,
                           given.key_file, given.ca_file.empty() ? context->ca_file : given.ca_file};
  url.value = context->url;
  url.origin = "context " + context->name;
  if (Setting& space = setting_of(settings, "namespace"); strength(space) == 0 && !context->space.empty()) {
    settings.space = space.value = context->space;
    space.origin = url.origin;
  }
  return {};
}

// `flag`: that it came from; "" = from elsewhere.
Status apply(Setting& setting, std::string_view flag, Settings& out) {
  const ErrorCode code = flag.empty() ? ErrorCode::bad_configuration : ErrorCode::usage;
  const std::string from = flag.empty() ? setting.name + " (" + setting.origin + ")" : std::string(flag);
  const auto wrong = [&](std::string_view wanted) {
    return fail(code,
                from + " must be " + std::string(wanted) + ", not \"" + printable(setting.value) + "\"");
  };
  if (setting.name == "data") {
    if (setting.value.empty()) return wrong("a directory");
    out.data_dir = std::filesystem::absolute(setting.value).lexically_normal().string();
    if (out.data_dir.size() > 1 && out.data_dir.ends_with('/')) out.data_dir.pop_back();
  } else if (setting.name == "concurrency") {
    if (setting.value == "auto") return {};
    const char* end = setting.value.data() + setting.value.size();
    const auto [stop, error] = std::from_chars(setting.value.data(), end, out.concurrency);
    if (error != std::errc{} || stop != end || out.concurrency < 1 || out.concurrency > 100'000) {
      return wrong("a number from 1 to 100000, or auto");
    }
  } else if (setting.name == "min_free_space") {
    if (setting.value == "auto") return {};
    out.min_free_space = parse_size(setting.value);
    if (!out.min_free_space) return wrong("a size such as 512MiB or 2GiB, 0, or auto");
  } else if (setting.name == "listen") {
    auto address = server::parse_listen_address(setting.value);
    if (!address) return fail(code, from + ": " + address.error().message);
    out.listen = std::move(*address);
  } else if (setting.name == "tls.cert" || setting.name == "tls.key") {
    if (setting.value.empty()) return {};
    setting.value = std::filesystem::absolute(setting.value).lexically_normal().string();
    (setting.name == "tls.cert" ? out.tls.certificate_file : out.tls.key_file) = setting.value;
  } else if (setting.name == "hosts") {
    out.hosts = split_list(setting.value);
  } else if (setting.name == "cors.origins") {
    for (const std::string& origin : split_list(setting.value)) {
      const auto endpoint = net::parse_endpoint(origin);
      if (!endpoint || endpoint->unix_socket || origin.ends_with('/') || std::ranges::count(origin, '/') != 2)
        return wrong("origins of pages such as https://ops.example, between commas");
      out.origins.push_back(origin);
    }
  } else if (setting.name == "seed.submit_workflow") {
    if (!setting.value.empty() && !is_name(setting.value)) return wrong("the name of a workflow");
    out.submit_workflow = setting.value;
  } else if (setting.name == "trusted_proxies") {
    for (const std::string& text : split_list(setting.value)) {
      auto range = net::AddressRange::parse(text);
      if (!range) return fail(code, from + ": " + range.error().message);
      out.trusted_proxies.push_back(std::move(*range));
    }
  } else if (setting.name == "url") {
    if (setting.value.empty()) return {};
    auto endpoint = net::parse_endpoint(setting.value);
    if (!endpoint || endpoint->unix_socket)
      return wrong("a server's address such as https://baton.example:7711");
    remote_of(out).url = setting.value;
    out.remote->endpoint = std::move(*endpoint);
  } else if (setting.name == "api_key" || setting.name == "api_key_file" || setting.name == "ca_file") {
    if (setting.value.empty()) return {};
    if (setting.name == "api_key") {
      remote_of(out).key = setting.value;
    } else if (setting.name == "ca_file") {
      setting.value = std::filesystem::absolute(setting.value).lexically_normal().string();
      remote_of(out).ca_file = setting.value;
    } else {
      setting.value = std::filesystem::absolute(setting.value).lexically_normal().string();
      remote_of(out).key_file = setting.value;
    }
  } else if (setting.name == "namespace") {
    if (setting.value.empty()) return {};
    if (!is_name(setting.value)) return wrong("the name of a namespace");
    out.space = setting.value;
  } else if (setting.name == "secrets.key_file") {
    if (setting.value.empty()) return {};
    setting.value = std::filesystem::absolute(setting.value).lexically_normal().string();
    out.secrets_key_file = setting.value;
  } else if (setting.name.starts_with("retention.")) {
    Duration& keep = setting.name == "retention.failed" ? out.keep_failed : out.keep_completed;
    const auto span =
        setting.value == "forever" ? Result<Duration>(Duration{}) : parse_duration(setting.value);
    if (!span) return wrong("a duration such as 30d, or forever");
    keep = *span;
  } else if (setting.name == "log.level") {
    const auto level = telemetry::log_level_from(setting.value);
    if (!level) return wrong("debug, info, warning or error");
    out.log.level = *level;
  } else if (setting.name == "log.format") {
    const auto format = telemetry::log_format_from(setting.value);
    if (!format) return wrong("text or json");
    out.log.format = *format;
  } else if (setting.name == "log.file") {
    if (setting.value.empty()) return {};
    setting.value = std::filesystem::absolute(setting.value).lexically_normal().string();
    out.log.file = setting.value;
  } else if (setting.name == "egress.deny" || setting.name == "egress.allow") {
    auto& ranges = setting.name == "egress.deny" ? out.egress.deny : out.egress.allow;
    for (const std::string& text : split_list(setting.value)) {
      if (const auto range = net::AddressRange::parse(text); !range) {
        return fail(ErrorCode::bad_configuration,
                    setting.name + " (" + setting.origin + "): " + range.error().message);
      }
      ranges.push_back(text);
    }
  } else {
    const auto format = parse_format(setting.value);
    if (!format) return wrong("table, json, jsonl or yaml");
    out.output = *format;
  }
  return {};
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find_first_not_of(", "), text.size());
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(", "), text.size());
    if (end > 0) items.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return items;
}

std::string join_list(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

std::string contexts_path(const Environment& environment) {
  return config_folder(environment) + "/contexts.json";
}

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
  };
}

Result<Settings> load_settings(const Flags& flags, const Environment& environment) {
  Settings settings;
  FileValues from_file;
  TRY(settings.config_file, find_file(flags, environment));
  if (!settings.config_file.empty()) {
    auto text = read_text_file(settings.config_file, std::size_t{1} << 20);
    if (!text) return fail(ErrorCode::bad_configuration, text.error().message);
    TRY(from_file, read_file(settings.config_file, *text));
  }
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    const Key& key = kKeys[i];
    Setting setting{std::string(key.name), default_of(key.name), "default", key.environment};
    std::string_view from_flag;
    if (!from_file[i].origin.empty()) {
      setting.value = from_file[i].value;
      setting.origin = from_file[i].origin;
      if (key.path) {  // relative to the file, whatever the working directory is
        const std::filesystem::path path = expand_home(setting.value, environment);
        setting.value = (std::filesystem::path(settings.config_file).parent_path() / path).string();
      }
    }
    if (const auto value = environment(key.environment)) {
      setting.value = *value;
      setting.origin = "environment " + std::string(key.environment);
    }
    if (key.given != nullptr && !(flags.*key.given).empty()) {
      setting.value = flags.*key.given;
      setting.origin = "flag " + std::string(key.flag);
      from_flag = key.flag;
    }
    TRY_VOID(apply(setting, from_flag, settings));
    if (key.name == "data") setting.value = settings.data_dir;
    if (key.name == "egress.deny") setting.value = all_denied(setting.value);
    if (key.secret && !setting.value.empty()) setting.value = "(set)";
    settings.all.push_back(std::move(setting));
  }
  choose_key(settings);
  TRY_VOID(choose_place(environment, settings));
  return settings;
}

}  // namespace baton::cli
