#include "base/codec.hpp"

namespace baton {

namespace {

char* put_varint(char* out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

using Varints = std::array<char, 20>;  // two of up to 64 bits

std::string_view head_of(Varints& bytes, std::uint32_t field, std::size_t size) {
  const char* end = put_varint(put_varint(bytes.data(), std::uint64_t{field} << 1 | 1), size);
  return {bytes.data(), end};
}

}  // namespace

void Encoder::append_large(std::string_view bytes) {
  if (large_.empty()) {
    large_.reserve(2 * (size_ + bytes.size()));
    large_.assign(small_.data(), size_);
  }
  large_ += bytes;
}

void Encoder::put_number(std::uint32_t field, std::uint64_t value) {
  Varints bytes;
  const char* end = put_varint(put_varint(bytes.data(), std::uint64_t{field} << 1), value);
  append({bytes.data(), end});
}

void Encoder::signed_number(std::uint32_t field, std::int64_t value) {
  number(field, (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

void Encoder::bytes(std::uint32_t field, std::string_view value) {
  if (value.empty()) return;
  Varints head;
  append(head_of(head, field, value.size()));
  append(value);
}

void Encoder::message(std::uint32_t field, const Encoder& nested) {
  const std::string_view bytes = nested.view();
  Varints head;
  append(head_of(head, field, bytes.size()));
  append(bytes);
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
