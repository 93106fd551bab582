#include "executors/process/usage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "executors/process/descendants.hpp"

namespace baton::executors::process {
namespace {

struct Totals {
  std::uint64_t ticks = 0;  // of its threads, and of children that it has waited for
  std::uint64_t pages = 0;
};

// proc(5): fields 14 to 17 are utime, stime, cutime, cstime in ticks, 24 is rss in pages.
void add(pid_t pid, Totals& totals) {
  const Fd file(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[1024];
  const ssize_t n = file ? ::read(file.get(), buffer, sizeof buffer) : -1;
  if (n <= 0) return;  // it has ended meanwhile
  std::string_view rest(buffer, static_cast<std::size_t>(n));
  const std::size_t name_end = rest.rfind(") ");  // the name may have blanks and brackets
  if (name_end == std::string_view::npos) return;
  rest.remove_prefix(name_end + 2);
  for (int field = 3; field <= 24 && !rest.empty(); ++field) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if ((field >= 14 && field <= 17) || field == 24) {
      std::uint64_t value = 0;
      std::from_chars(rest.data(), rest.data() + end, value);
      (field == 24 ? totals.pages : totals.ticks) += value;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

}  // namespace

Usage UsageMeter::look(Clock::time_point now) {
  if (looked_ && now - *looked_ < kAtMostEvery) return last_;
  const pid_t self = ::getpid();
  Totals totals;
  add(self, totals);
  for (const pid_t pid : descendants_of(self)) add(pid, totals);
  if (totals.pages == 0) return {};  // there is no /proc
  last_.memory_bytes = totals.pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  if (since_ && now > *since_) {
    const double seconds = std::chrono::duration<double>(now - *since_).count();
    // A process that nobody waited for takes its time with it.
    const std::uint64_t ticks = totals.ticks > ticks_ ? totals.ticks - ticks_ : 0;
    const double percent =
        100 * static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)) / seconds;
    last_.cpu_percent = static_cast<double>(static_cast<std::int64_t>(percent * 10 + 0.5)) / 10;
  }
  looked_ = since_ = now;
  ticks_ = totals.ticks;
  return last_;
}

Usage part_of(Usage whole, std::uint32_t parts) {
  if (whole.cpu_percent) *whole.cpu_percent /= parts;
  if (whole.memory_bytes) *whole.memory_bytes /= parts;
  return whole;
}

}  // namespace baton::executors::process
