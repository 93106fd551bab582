// A library for LD_PRELOAD: faults in the real program, without a change to it. It stands between the program
// and the system's calls for files whose path contains $FAULTS_FILES, and between it and the clock on the
// wall.
//
//   $FAULTS_CONTROL  a file of eight numbers (Control, below) that a test maps and changes while the program
//   runs $FAULTS_TRACE    a file to which each change of such a file is appended, in the order of the
//   changes:
//                      W FILE OFFSET SIZE\n + bytes     before a write
//                      T FILE SIZE\n                    before a truncation
//                      S FILE\n                         after a sync that succeeded
//                    What of it a disk keeps when the power goes is the test's business (harness/faults.py).
//
// Without these variables it does nothing. Names of files are not its subject: the tests begin with a
// database.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Control {
  std::atomic<std::int64_t> operations;    // of the kinds below so far
  std::atomic<std::int64_t> fail_at;       // this one fails; 0 = none
  std::atomic<std::int64_t> kinds;         // 1 writes and truncations, 2 syncs, 3 both
  std::atomic<std::int64_t> error;         // errno; -1: kill -9 before it; -2: kill -9 in the middle of it
  std::atomic<std::int64_t> for_ever;      // all later ones fail, too
  std::atomic<std::int64_t> failed;        // how many have
  std::atomic<std::int64_t> clock_offset;  // microseconds
  std::atomic<std::int64_t> attached;      // programs that have looked at this
};

constexpr int kFds = 4096;
std::atomic<const char*> g_paths[kFds];  // of the descriptors that are watched
const char* g_files = nullptr;
Control* g_control = nullptr;
int g_trace = -1;

__attribute__((constructor)) void begin() {
  g_files = ::getenv("FAULTS_FILES");
  if (const char* path = ::getenv("FAULTS_CONTROL")) {
    const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC));
    if (fd >= 0) {
      void* memory = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      if (memory != MAP_FAILED) g_control = static_cast<Control*>(memory);
      ::syscall(SYS_close, fd);
      if (g_control) ++g_control->attached;
    }
  }
  if (const char* path = ::getenv("FAULTS_TRACE")) {
    const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CLOEXEC));
    if (fd >= 0) g_trace = static_cast<int>(::syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 1000));
    if (fd >= 0) ::syscall(SYS_close, fd);
  }
}

const char* watched(int fd) {
  return fd >= 0 && fd < kFds ? g_paths[fd].load() : nullptr;
}

int watch(int fd, const char* path) {
  if (g_files == nullptr || fd < 0 || fd >= kFds) return fd;
  const bool wanted = std::strstr(path, g_files) != nullptr;
  g_paths[fd] = wanted ? ::strdup(path) : nullptr;  // never freed: another thread may just be using it
  return fd;
}

void note(const char* header, const void* bytes = nullptr, std::size_t size = 0) {
  if (g_trace < 0) return;
  const iovec parts[2] = {{const_cast<char*>(header), std::strlen(header)}, {const_cast<void*>(bytes), size}};
  (void)::syscall(SYS_writev, g_trace, parts, bytes != nullptr ? 2 : 1);  // one call: threads do not mix
}

enum Fate { goes_well, fails, dies_within };

// What happens to the next operation; sets errno where it fails.
Fate fate(std::int64_t kind) {
  if (g_control == nullptr || (g_control->kinds & kind) == 0) return goes_well;
  const std::int64_t number = ++g_control->operations;
  const std::int64_t at = g_control->fail_at;
  if (at == 0 || number < at || (number > at && g_control->for_ever == 0)) return goes_well;
  ++g_control->failed;
  const std::int64_t error = g_control->error;
  if (error == -1) ::kill(::getpid(), SIGKILL);
  if (error == -2) return dies_within;
  errno = static_cast<int>(error);
  return fails;
}

ssize_t write_at(int fd, const void* data, std::size_t size, off_t at) {
  if (const char* path = watched(fd)) {
    const Fate what = fate(1);
    if (what == fails) return -1;
    if (what == dies_within) {
      (void)::syscall(SYS_pwrite64, fd, data, size / 2, at);
      ::kill(::getpid(), SIGKILL);
    }
    char header[600];
    std::snprintf(header, sizeof header, "W %s %lld %zu\n", path, static_cast<long long>(at), size);
    note(header, data, size);
  }
  return ::syscall(SYS_pwrite64, fd, data, size, at);
}

int truncate_to(int fd, off_t size) {
  if (const char* path = watched(fd)) {
    const Fate what = fate(1);
    if (what == fails) return -1;
    if (what == dies_within) ::kill(::getpid(), SIGKILL);
    char header[600];
    std::snprintf(header, sizeof header, "T %s %lld\n", path, static_cast<long long>(size));
    note(header);
  }
  return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
}

int sync_now(int fd, long call) {
  const char* path = watched(fd);
  if (path != nullptr) {
    const Fate what = fate(2);
    if (what == fails) return -1;
    if (what == dies_within) ::kill(::getpid(), SIGKILL);
  }
  const int result = static_cast<int>(::syscall(call, fd));
  if (path != nullptr && result == 0) {
    char header[600];
    std::snprintf(header, sizeof header, "S %s\n", path);
    note(header);
  }
  return result;
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return watch(static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode)), path);
}
EXPORT int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return watch(static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode)), path);
}
EXPORT int close(int fd) {
  if (fd >= 0 && fd < kFds) g_paths[fd] = nullptr;
  return static_cast<int>(::syscall(SYS_close, fd));
}
EXPORT ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) {
  return write_at(fd, data, size, at);
}
EXPORT ssize_t pwrite64(int fd, const void* data, std::size_t size, off64_t at) {
  return write_at(fd, data, size, at);
}
EXPORT int ftruncate(int fd, off_t size) noexcept {
  return truncate_to(fd, size);
}
EXPORT int ftruncate64(int fd, off64_t size) noexcept {
  return truncate_to(fd, size);
}
EXPORT int fsync(int fd) {
  return sync_now(fd, SYS_fsync);
}
EXPORT int fdatasync(int fd) {
  return sync_now(fd, SYS_fdatasync);
}

EXPORT int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int result = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (result != 0 || g_control == nullptr || clock != CLOCK_REALTIME) return result;
  const std::int64_t offset = g_control->clock_offset;
  const std::int64_t micro = 1'000'000;
  std::int64_t nanoseconds = time->tv_nsec + (offset % micro) * 1000;
  time->tv_sec += offset / micro + nanoseconds / 1'000'000'000;
  nanoseconds %= 1'000'000'000;
  if (nanoseconds < 0) {
    nanoseconds += 1'000'000'000;
    --time->tv_sec;
  }
  time->tv_nsec = nanoseconds;
  return 0;
}
EXPORT int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}
EXPORT time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
