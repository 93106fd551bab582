// The bytes of an attempt's log.
//
// A file is a header of 24 bytes and then frames, all numbers little-endian:
//
//   header   "BATONLOG"  version u32 = 1  reserved u32  gap_at u64 (offset of the gap frame, 0 = none yet)
//   frame    kind u8  flags u8  mark u16 = 0xB10C  length u32  time i64 (µs since 1970 UTC)  payload[length]
//
// A frame holds whole lines of one stream as they were read together, so its time is that of all of them. It
// ends within a line only if the line is too long (flag `broken`), was drawn with carriage returns, or is the
// last one.
//
// Head and tail. The file grows at its end only. When the head is full, a gap frame follows it: payload
// dropped u64, resume u64, check u64 (= dropped ^ resume ^ kGapCheck). When the tail grows beyond its limit
// the writer first rewrites the gap frame in place, so that `resume` is the first frame still kept, and then
// punches a hole over what lies between. So offsets stay valid for readers that follow, and the disk holds
// head and tail only, although the file's length counts everything. A reader that read a piece of the tail
// reads the gap frame after it: if `resume` is still not beyond that piece, no byte of it had been punched
// out.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace baton::logs {

enum class Stream : std::uint8_t {
  out = 1,   // standard output
  err = 2,   // standard error
  note = 3,  // a remark of Baton about the log itself
  gap = 4    // output was dropped here; Frame::dropped says how much
};

// "stdout", "stderr", "note", "gap"
std::string_view name(Stream stream);

struct Frame {
  Stream stream = Stream::out;
  WallTime time;
  std::string_view bytes;     // raw: whatever the process wrote
  bool broken = false;        // the line goes on in the next frame of the stream: it was over the line limit
  std::uint64_t dropped = 0;  // bytes of output, of a gap
  std::uint64_t offset = 0;   // of the frame in its file
};

namespace format {

inline constexpr std::string_view kMagic = "BATONLOG";
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kFileHeader = 24;
inline constexpr std::size_t kGapAtPosition = 16;
inline constexpr std::size_t kFrameHeader = 16;
inline constexpr std::uint16_t kMark = 0xB10C;
inline constexpr std::uint8_t kBroken = 1;
inline constexpr std::size_t kGapPayload = 24;
inline constexpr std::uint64_t kGapCheck = 0x6761702D62617431;
inline constexpr std::uint32_t kMaxPayload = (1U << 20) + 1;  // what a reader accepts

template <typename Number>
void put(char* at, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    at[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
}

template <typename Number>
Number get(const char* at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
  return static_cast<Number>(value);
}

struct FrameHeader {
  std::uint8_t kind = 0;
  std::uint8_t flags = 0;
  std::uint32_t length = 0;
  std::int64_t time_us = 0;
};
std::array<char, kFrameHeader> encode(const FrameHeader& header);
// Nothing if these bytes do not begin a frame.
std::optional<FrameHeader> decode_frame_header(std::string_view bytes);

struct Gap {
  std::uint64_t dropped = 0;
  std::uint64_t resume = 0;
};
// The whole frame, header included.
std::array<char, kFrameHeader + kGapPayload> encode(const Gap& gap, WallTime time);
// From a whole frame; nothing if it is damaged or was being rewritten.
std::optional<Gap> decode_gap(std::string_view frame);

}  // namespace format
}  // namespace baton::logs
