#include "base/codec.hpp"

namespace baton {

void Encoder::varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_ += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out_ += static_cast<char>(value);
}

void Encoder::number(std::uint32_t field, std::uint64_t value) {
  if (value == 0) return;
  varint(std::uint64_t{field} << 1);
  varint(value);
}

void Encoder::signed_number(std::uint32_t field, std::int64_t value) {
  number(field, (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

void Encoder::bytes(std::uint32_t field, std::string_view value) {
  if (value.empty()) return;
  varint(std::uint64_t{field} << 1 | 1);
  varint(value.size());
  out_ += value;
}

void Encoder::message(std::uint32_t field, const Encoder& nested) {
  varint(std::uint64_t{field} << 1 | 1);
  varint(nested.out_.size());
  out_ += nested.out_;
}

bool Decoder::varint(std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (at_ >= in_.size()) return false;
    const auto byte = static_cast<std::uint8_t>(in_[at_++]);
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return shift < 63 || byte <= 1;
  }
  return false;
}

bool Decoder::next() {
  if (failed_ || at_ == in_.size()) return false;
  std::uint64_t tag = 0;
  failed_ = true;
  if (!varint(tag) || tag >> 1 > UINT32_MAX) return false;
  field_ = static_cast<std::uint32_t>(tag >> 1);
  bytes_ = {};
  if (!varint(number_)) return false;
  if ((tag & 1) != 0) {
    if (number_ > in_.size() - at_) return false;
    bytes_ = in_.substr(at_, number_);
    at_ += number_;
  }
  failed_ = false;
  return true;
}

}  // namespace baton
