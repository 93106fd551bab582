// baton support-bundle: what helps to understand a problem, in one file, without payloads.
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "base/gzip.hpp"
#include "base/text.hpp"
#include "cli/archive.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/doctor.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kRuns = 200;
constexpr off_t kLogEnd = 256 << 10;  // bytes of the log

// Of a run these, and nothing else: what is not named cannot slip in.
constexpr std::array<std::string_view, 17> kOfRun = {
    "id",         "workflow",          "version",   "status",       "stage",       "progress",
    "created_at", "started_at",        "ended_at",  "current_step", "total_steps", "counts",
    "priority",   "recovery_attempts", "replay_of", "parent",       "duration"};

class Bundle {
 public:
  explicit Bundle(const Context& context) : context_(context), session_(context.settings, context.console) {}

  Result<std::string> pack(const std::string& folder) {
    add("doctor.json", doctor_report(context_));
    add("settings.json", settings());
    add("system.json", system());
    if (const auto opened = session_.open(Purpose::look); opened) {
      ask_owner();
    } else {
      files_.push_back({"owner.txt", opened.error().message + '\n'});
    }
    add_log();
    return gzipped(tar_of(folder, files_, wall_now()), GzipEffort::small);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const PackedFile& file : files_) names.push_back(file.name);
    return names;
  }

 private:
  void add(std::string name, const json::value& value) {
    files_.push_back({std::move(name), to_pretty_json(value)});
  }

  json::array settings() const {
    json::array list;
    for (const Setting& setting : context_.settings.all) {
      const bool secret =
          std::ranges::any_of(std::array{"key", "secret", "token", "password"},
                              [&](const char* word) { return setting.name.find(word) != std::string::npos; });
      list.push_back(json::object{{"name", setting.name},
                                  {"value", secret ? "(left out)" : setting.value},
                                  {"origin", setting.origin}});
    }
    return list;
  }

  static json::object system() {
    json::object facts{{"baton", kVersion}, {"cores", std::thread::hardware_concurrency()}};
    utsname kernel{};
    if (::uname(&kernel) == 0) {
      facts["system"] = std::string(kernel.sysname) + ' ' + kernel.release + ' ' + kernel.machine;
    }
    facts["memory_bytes"] = std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
    facts["time"] = to_rfc3339(wall_now());
    return facts;
  }

  template <typename Question>
  auto ask(Question question) {
    return session_.ask(Purpose::look, question);
  }

  void ask_owner() {
    if (const auto text = ask([](client::Client& client) { return client.metrics_text(); })) {
      files_.push_back({"metrics.txt", *text});
    }
    if (const auto summary = ask([](client::Client& client) { return client.metrics(); })) {
      add("metrics.json", *summary);
    }
    for (const char* nouns : {"queues", "workers", "targets", "limits", "routes", "breakers", "namespaces"}) {
      const auto page = ask([&](client::Client& client) { return client.all(nouns); });
      if (!page) continue;
      json::array items;
      for (const json::object& item : page->items) items.push_back(without_words(item));
      add(std::string(nouns) + ".json", items);
    }
    const auto page = ask([](client::Client& client) { return client.runs({.limit = kRuns}); });
    if (page) add("runs.json", runs(page->items));
  }

  // Reasons and messages are people's and tasks' own words.
  static json::object without_words(const json::object& item) {
    json::object out;
    for (const auto& [name, value] : item) {
      if (name == "reason" || name == "last_failure" || name == "holders") continue;
      if (const auto* inner = value.if_object()) {
        out[name] = without_words(*inner);
      } else {
        out[name] = value;
      }
    }
    return out;
  }

  static json::array runs(const std::vector<json::object>& items) {
    json::array list;
    for (const json::object& run : items) {
      json::object out;
      for (const std::string_view name : kOfRun) {
        if (const auto* value = run.if_contains(name)) out[name] = *value;
      }
      if (const auto* error = object_of(run, "error")) out["error_type"] = text_of(*error, "type");
      list.push_back(std::move(out));
    }
    return list;
  }

  void add_log() {
    const std::string path = context_.settings.log.file.empty() ? context_.settings.data_dir + "/owner.log"
                                                                : context_.settings.log.file;
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return;
    const off_t size = ::lseek(file.get(), 0, SEEK_END);
    ::lseek(file.get(), std::max<off_t>(size - kLogEnd, 0), SEEK_SET);
    std::string text(static_cast<std::size_t>(kLogEnd), '\0');
    const ssize_t n = ::read(file.get(), text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    files_.push_back({"owner.log", to_utf8(text)});
  }

  const Context& context_;
  Session session_;
  std::vector<PackedFile> files_;
};

Status write_new(const std::string& path, std::string_view bytes) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) {
    return fail(errno == EEXIST ? ErrorCode::conflict : ErrorCode::io,
                "cannot create " + path + ": " + errno_text(errno));
  }
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      ::unlink(path.c_str());
      return fail(ErrorCode::io, "cannot write " + path + ": " + errno_text(error));
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

int support_bundle(const Context& context, std::string file) {
  std::string stamp = to_rfc3339(wall_now()).substr(0, 19);
  std::ranges::replace(stamp, ':', '-');
  const std::string folder = "baton-support-" + stamp;
  if (file.empty()) file = folder + ".tar.gz";
  Bundle bundle(context);
  const auto packed = bundle.pack(folder);
  if (!packed) return context.fail(packed.error());
  if (const auto written = write_new(file, *packed); !written) return context.fail(written.error());
  json::array names;
  for (const std::string& name : bundle.names()) names.emplace_back(name);
  const json::object report{{"path", file}, {"bytes", packed->size()}, {"files", std::move(names)}};
  print_object(context.console, context.settings.output, report, [&](const Style&) {
    std::string text = file + ": " + std::to_string((packed->size() + 1023) >> 10) + " KiB\n";
    for (const std::string& name : bundle.names()) text += "  " + name + '\n';
    return text;
  });
  context.console.note("look at it before you send it on");
  return kOk;
}

}  // namespace

void add_support_bundle(Program& program) {
  const auto file = std::make_shared<std::string>();
  CLI::App& command = program.command(
      program.app(), "support-bundle", "Packs what helps to understand a problem into one file",
      [file](const Context& context) { return support_bundle(context, *file); });
  command.add_option("file", *file, "Where to; must not exist")->type_name("FILE");
}

}  // namespace baton::cli
