#include "embedded/checkup.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "embedded/free_space.hpp"
#include "store/sqlite/backup.hpp"

namespace baton::embedded {
namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;
constexpr Duration kClockSlack = Duration::minutes(1);
constexpr std::uint64_t kLongLog = 1024 * kMebi;  // of the database: it is copied at 4 MiB when all is well
constexpr rlim_t kFewFiles = 1024;

std::string size_text(std::uint64_t bytes) {
  if (bytes < kMebi) return std::to_string(bytes >> 10) + " KiB";
  if (bytes < 10 * 1024 * kMebi) return std::to_string(bytes / kMebi) + " MiB";
  return std::to_string(bytes / (1024 * kMebi)) + " GiB";
}

std::string counted(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

std::uint64_t size_of(const std::filesystem::path& path) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  return failed ? 0 : size;
}

std::uint64_t size_below(const std::filesystem::path& folder) {
  std::uint64_t sum = 0;
  std::error_code failed;
  std::filesystem::recursive_directory_iterator at(
      folder, std::filesystem::directory_options::skip_permission_denied, failed);
  while (!failed && at != std::filesystem::recursive_directory_iterator()) {
    std::error_code gone;  // files come and go meanwhile
    if (at->is_regular_file(gone) && !at->is_symlink(gone)) sum += size_of(at->path());
    at.increment(failed);
  }
  return sum;
}

Finding check_directory(const std::string& data_dir) {
  Finding finding{"data directory", Health::ok, data_dir, ""};
  struct stat found{};
  if (::stat(data_dir.c_str(), &found) != 0) {
    finding.health = Health::error;
    finding.message += ": " + errno_text(errno);
    finding.advice = "say another one with --data or BATON_DATA";
  } else if (found.st_uid != ::geteuid()) {
    finding.health = Health::error;
    finding.message += " belongs to user " + std::to_string(found.st_uid);
    finding.advice = "run this as that user";
  } else if ((found.st_mode & 077) != 0) {
    finding.health = Health::warning;
    finding.message += " can be reached by other users";
    finding.advice = "chmod 700 " + data_dir;
  }
  return finding;
}

Finding check_database(const CheckupOptions& options, WallTime now, std::vector<Finding>& clock) {
  const std::string path = options.data_dir + "/baton.db";
  Finding finding{"database", Health::ok, "", ""};
  const auto report = store::check_sqlite(path, options.thorough);
  if (!report) {
    finding.health = Health::error;
    finding.message = report.error().message;
    finding.advice =
        "keep a copy of the data directory, then `baton restore` a backup (docs/errors/corrupt.md)";
    return finding;
  }
  const std::uint64_t log = size_of(path + "-wal");
  finding.message = "schema " + std::to_string(report->schema) + ", " + counted(report->runs, "run") + ", " +
                    std::to_string(report->open_runs) + " open, " +
                    size_text(static_cast<std::uint64_t>(report->bytes)) + ", log " + size_text(log);
  if (log > kLongLog) {
    finding.health = Health::warning;
    finding.advice =
        "the log is long: something reads the database for hours, a copy or an open sqlite3 perhaps";
  }
  if (report->last_commit > now + kClockSlack) {
    clock.push_back({"clock", Health::error,
                     "the last commit is of " + to_rfc3339(report->last_commit) + ", and it is " +
                         to_rfc3339(now) + ": the clock was set back",
                     "set the clock; retries and timeouts are not affected, schedules and display are"});
  }
  return finding;
}

Finding check_disk(const CheckupOptions& options) {
  const DiskUse use = disk_use(options.data_dir);
  Finding finding{"disk", Health::ok, "", ""};
  finding.message = "database " + size_text(use.database) + ", logs " + size_text(use.logs) + ", scratch " +
                    size_text(use.scratch) + ", other " + size_text(use.other);
  struct statvfs disk{};
  if (::statvfs(options.data_dir.c_str(), &disk) == 0) {
    finding.message += "; free " + size_text(std::uint64_t{disk.f_bavail} * disk.f_frsize);
  }
  if (const auto room = check_free_space(options.data_dir, options.min_free_space); !room) {
    finding.health = Health::error;
    finding.advice = room.error().message;
  } else if (disk.f_files > 0 && disk.f_favail < disk.f_files / 100) {
    finding.health = Health::warning;
    finding.advice = "the file system has hardly any inodes left";
  }
  return finding;
}

Finding check_clock(WallTime now) {
  Finding finding{"clock", Health::ok, to_rfc3339(now), ""};
  timex state{};
  const int answer = ::adjtimex(&state);
  if (answer < 0) return finding;
  const bool synchronized = answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  finding.message += synchronized ? ", synchronized" : ", not synchronized as far as the kernel knows";
  return finding;
}

Finding check_limits() {
  Finding finding{"limits", Health::ok, "", ""};
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return finding;
  finding.message = "at most " + std::to_string(files.rlim_cur) + " open files";
  if (files.rlim_cur < kFewFiles) {
    finding.health = Health::warning;
    finding.advice = "each task takes up to five: raise it with `ulimit -n`, or LimitNOFILE of the unit";
  }
  return finding;
}

}  // namespace

std::string_view name(Health health) {
  constexpr std::array<std::string_view, 3> kNames = {"ok", "warning", "error"};
  return kNames[static_cast<std::size_t>(health)];
}

DiskUse disk_use(const std::string& data_dir) {
  DiskUse use;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(data_dir, failed)) {
    const std::string file = entry.path().filename().string();
    std::error_code gone;
    if (entry.is_directory(gone)) {
      (file == "logs" ? use.logs : file == "scratch" ? use.scratch : use.other) += size_below(entry.path());
    } else if (entry.is_regular_file(gone)) {
      (file.starts_with("baton.db") ? use.database : use.other) += size_of(entry.path());
    }
  }
  return use;
}

std::vector<Finding> check_data_dir(const CheckupOptions& options, WallTime now) {
  std::vector<Finding> findings;
  findings.push_back(check_directory(options.data_dir));
  if (findings.back().health == Health::error) return findings;
  std::vector<Finding> clock;
  findings.push_back(check_database(options, now, clock));
  findings.push_back(check_disk(options));
  if (clock.empty()) clock.push_back(check_clock(now));
  findings.push_back(std::move(clock.front()));
  findings.push_back(check_limits());
  return findings;
}

}  // namespace baton::embedded
