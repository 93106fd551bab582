// Writes the log of one attempt.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/time.hpp"
#include "logs/frame.hpp"

namespace baton::logs {

struct Limits {
  std::uint64_t head = 5 << 20;  // bytes of the file that are kept from the beginning, headers included
  std::uint64_t tail = 5 << 20;  // and from the end
  std::size_t line = 64 << 10;   // longer lines are broken; at most 1 MiB
};

// What becomes of a file that is there already: another attempt's, or what an earlier writer of the same
// attempt has left.
enum class Existing : std::uint8_t { replaced, continued };

// The file (0600, its missing directories 0700) is created at the first byte; an attempt without output has
// none. One that is continued loses what was only half written at its end; one that is no log is replaced. A
// log that cannot be written never fails its attempt: the lost bytes are counted, and a note in the log says
// so as soon as it can be written again. Whole lines reach the kernel within write(); what follows the last
// line end waits for its line end or for flush(). Nothing is synced to disk: the log is not part of the
// durability promise.
//
// Not thread-safe. Memory: at most one line per stream.
class Writer {
 public:
  explicit Writer(std::string path, Limits limits = {}, Existing existing = Existing::replaced);

  void write(Stream stream, std::string_view bytes, WallTime now);
  // A remark about the log itself.
  void remark(std::string_view text, WallTime now);
  // Writes incomplete lines as well. Call before the attempt's end is reported.
  void flush(WallTime now);
  // Gives the descriptor back; the next byte opens the file again. If somebody else has changed it meanwhile,
  // that is as at the first time.
  void rest() { file_.reset(); }

  // Bytes of output that the log has taken, dropped ones included, over all of its writers; what is pending
  // is not among them. Opens a file that is continued.
  std::uint64_t taken_bytes();
  std::uint64_t lost_bytes() const { return lost_total_; }                       // because of I/O errors
  std::uint64_t dropped_bytes() const { return gap_.dropped + refused_total_; }  // because of the limits
  int last_error() const { return last_error_; }  // errno of the last failure, 0 = none

 private:
  struct Mark {  // a frame at which the tail may begin
    std::uint64_t offset;
    std::uint64_t payload_before;  // bytes of output in the tail's frames before it
  };

  bool open();
  bool begin();
  bool begin_file();
  bool go_on();  // false: it is no log that can be gone on with
  bool write_at(std::uint64_t offset, std::string_view first, std::string_view second);
  // Appends a frame. False: not written, nothing changed.
  bool append(Stream stream, std::uint8_t flags, std::string_view payload, WallTime now);
  void emit(Stream stream, std::uint8_t flags, std::string_view payload, WallTime now);
  bool report_lost(WallTime now);
  bool begin_tail(WallTime now);
  void trim_tail(WallTime now);

  std::string path_;
  Limits limits_;
  Existing existing_;
  Fd file_;
  bool begun_ = false;  // what follows is true of the file, if that ends where it ended
  std::uint64_t taken_ = 0;
  std::uint64_t end_ = 0;           // where the next frame goes
  std::uint64_t gap_at_ = 0;        // 0: still in the head
  std::uint64_t tail_payload_ = 0;  // bytes of output ever written to the tail
  format::Gap gap_;
  std::deque<Mark> marks_;
  bool refusing_ = false;  // the log is full and its file system cannot punch holes: nothing more is kept
  std::uint64_t refused_ = 0;
  std::uint64_t refused_total_ = 0;
  std::uint64_t lost_ = 0;  // not noted in the log yet
  std::uint64_t lost_total_ = 0;
  int last_error_ = 0;
  std::string pending_[2];  // incomplete lines of out and err
};

}  // namespace baton::logs
