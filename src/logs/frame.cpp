#include "logs/frame.hpp"

namespace baton::logs {

std::string_view name(Stream stream) {
  switch (stream) {
    case Stream::out:
      return "stdout";
    case Stream::err:
      return "stderr";
    case Stream::note:
      return "note";
    case Stream::gap:
      return "gap";
  }
  return "unknown";
}

namespace format {

std::array<char, kFrameHeader> encode(const FrameHeader& header) {
  std::array<char, kFrameHeader> bytes{};
  bytes[0] = static_cast<char>(header.kind);
  bytes[1] = static_cast<char>(header.flags);
  put(&bytes[2], kMark);
  put(&bytes[4], header.length);
  put(&bytes[8], header.time_us);
  return bytes;
}

std::optional<FrameHeader> decode_frame_header(std::string_view bytes) {
  if (bytes.size() < kFrameHeader || get<std::uint16_t>(&bytes[2]) != kMark) return std::nullopt;
  FrameHeader header;
  header.kind = static_cast<std::uint8_t>(bytes[0]);
  header.flags = static_cast<std::uint8_t>(bytes[1]);
  header.length = get<std::uint32_t>(&bytes[4]);
  header.time_us = get<std::int64_t>(&bytes[8]);
  if (header.kind < 1 || header.kind > 4 || header.length > kMaxPayload) return std::nullopt;
  return header;
}

std::array<char, kFrameHeader + kGapPayload> encode(const Gap& gap, WallTime time) {
  std::array<char, kFrameHeader + kGapPayload> bytes{};
  const auto header = encode(FrameHeader{static_cast<std::uint8_t>(Stream::gap), 0, kGapPayload, time.us});
  std::memcpy(bytes.data(), header.data(), header.size());
  put(&bytes[kFrameHeader], gap.dropped);
  put(&bytes[kFrameHeader + 8], gap.resume);
  put(&bytes[kFrameHeader + 16], gap.dropped ^ gap.resume ^ kGapCheck);
  return bytes;
}

std::optional<Gap> decode_gap(std::string_view frame) {
  const auto header = decode_frame_header(frame);
  if (!header || header->kind != static_cast<std::uint8_t>(Stream::gap) || header->length != kGapPayload ||
      frame.size() < kFrameHeader + kGapPayload)
    return std::nullopt;
  const Gap gap{get<std::uint64_t>(&frame[kFrameHeader]), get<std::uint64_t>(&frame[kFrameHeader + 8])};
  if (get<std::uint64_t>(&frame[kFrameHeader + 16]) != (gap.dropped ^ gap.resume ^ kGapCheck))
    return std::nullopt;
  return gap;
}

}  // namespace format
}  // namespace baton::logs
