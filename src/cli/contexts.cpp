#include "cli/contexts.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <filesystem>

#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/files.hpp"
#include "cli/output.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr std::size_t kMaxKey = 4096;

std::unexpected<Error> unusable(const std::string& path, std::string_view why) {
  return fail(ErrorCode::bad_configuration, printable(path) + " cannot be used: " + std::string(why), path);
}

}  // namespace

const ServerContext* Contexts::find(std::string_view name) const {
  const auto found = std::ranges::find(all, name, &ServerContext::name);
  return found == all.end() ? nullptr : &*found;
}

Result<Contexts> load_contexts(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG) return Contexts{};
    return unusable(path, errno_text(errno));
  }
  if ((info.st_mode & 077) != 0)
    return unusable(path, "there are keys in it, and others may read it: chmod 600 " + printable(path));
  auto text = read_text_file(path, kMaxFile);
  if (!text) return unusable(path, text.error().message);
  boost::system::error_code error;
  const json::value value = parse_json(*text, error);
  const json::object* file = error ? nullptr : value.if_object();
  const json::value* list = file != nullptr ? file->if_contains("contexts") : nullptr;
  if (list == nullptr || !list->is_array()) return unusable(path, "it is not what baton context writes");
  Contexts contexts{.current = text_of(*file, "current")};
  for (const json::value& item : list->get_array()) {
    const json::object* context = item.if_object();
    if (context == nullptr) return unusable(path, "it is not what baton context writes");
    contexts.all.push_back({text_of(*context, "name"), text_of(*context, "url"), text_of(*context, "key"),
                            text_of(*context, "ca_file"), text_of(*context, "namespace")});
  }
  return contexts;
}

Result<Fd> lock_contexts(const std::string& path) {
  std::error_code ignored;  // opening says it
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  Fd lock(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return unusable(path + ".lock", errno_text(errno));
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return unusable(path + ".lock", errno_text(errno));
  }
  return lock;
}

Status save_contexts(const std::string& path, const Contexts& contexts) {
  json::array list;
  for (const ServerContext& context : contexts.all) {
    list.push_back(json::object{{"name", context.name},
                                {"url", context.url},
                                {"key", context.key},
                                {"ca_file", context.ca_file},
                                {"namespace", context.space}});
  }
  const json::object file{{"current", contexts.current}, {"contexts", std::move(list)}};
  std::error_code ignored;  // writing says it
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  return write_text_file(path, json::serialize(file) + '\n', 0600);
}

Result<std::string> read_key_file(const std::string& path) {
  TRY(std::string text, read_text_file(path, kMaxKey));
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  if (text.empty()) {
    return fail(
        ErrorCode::bad_configuration,
        (path == "-" ? std::string("standard input") : printable(path)) + " has no key in its first line",
        path);
  }
  return text;
}

}  // namespace baton::cli
