#include "telemetry/process_stats.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace baton::telemetry {
namespace {

std::string text_of(const char* path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::optional<double> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return static_cast<double>(value);
}

// The fields of /proc/self/stat behind the name, which may hold anything: from the third on (proc(5)).
std::vector<std::string_view> fields_of(std::string_view stat) {
  std::vector<std::string_view> fields;
  const std::size_t name_ends = stat.rfind(')');
  if (name_ends == std::string_view::npos) return fields;
  stat.remove_prefix(name_ends + 1);
  while (true) {
    const std::size_t begin = stat.find_first_not_of(" \n");
    if (begin == std::string_view::npos) return fields;
    const std::size_t end = std::min(stat.find_first_of(" \n", begin), stat.size());
    fields.push_back(stat.substr(begin, end - begin));
    stat.remove_prefix(end);
  }
}

// When the system began, in seconds since 1970.
std::optional<double> boot_time() {
  const std::string stat = text_of("/proc/stat");
  const std::size_t line = stat.find("\nbtime ");
  if (line == std::string::npos) return std::nullopt;
  const std::size_t begin = line + 7;
  return number(std::string_view(stat).substr(begin, stat.find('\n', begin) - begin));
}

std::optional<double> open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  if (!folder) return std::nullopt;
  double count = 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count - 1;  // without the one that this looking takes
}

}  // namespace

void read_process(Reading& reading) {
  const std::string stat = text_of("/proc/self/stat");
  const std::vector<std::string_view> fields = fields_of(stat);
  const auto field = [&](std::size_t number_in_manual) -> std::optional<double> {
    const std::size_t at = number_in_manual - 3;
    return at < fields.size() ? number(fields[at]) : std::nullopt;
  };
  const auto set = [&](Metric metric, std::optional<double> value) {
    if (value) reading.set(metric, *value);
  };
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  if (const auto user = field(14), kernel = field(15); user && kernel) {
    reading.set(Metric::process_cpu, (*user + *kernel) / ticks);
  }
  if (const auto booted = boot_time(), started = field(22); booted && started) {
    reading.set(Metric::process_start, *booted + *started / ticks);
  }
  set(Metric::process_threads, field(20));
  set(Metric::process_virtual, field(23));
  if (const auto pages = field(24)) {
    reading.set(Metric::process_resident, *pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  set(Metric::process_open_fds, open_descriptors());
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY) {
    reading.set(Metric::process_max_fds, static_cast<double>(files.rlim_cur));
  }
}

}  // namespace baton::telemetry
