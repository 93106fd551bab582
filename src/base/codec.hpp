// The byte form of what the store keeps packed (task state, journal facts). Fields are tagged and
// length-delimited in the manner of protocol buffers, so that an older reader skips what it does not know and
// a newer one sees defaults for what is missing: `tag = field << 1 | kind`, kind 0 = varint, kind 1 = length
// and bytes.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace baton {

class Encoder {
 public:
  // Fields whose value is zero or empty are left out.
  void number(std::uint32_t field, std::uint64_t value) {
    if (value != 0) put_number(field, value);
  }
  void signed_number(std::uint32_t field, std::int64_t value);  // zigzag
  void bytes(std::uint32_t field, std::string_view value);
  // Writes a nested message even if it is empty (an element of a list).
  void message(std::uint32_t field, const Encoder& nested);

  std::string_view view() const {
    return large_.empty() ? std::string_view(small_.data(), size_) : std::string_view(large_);
  }
  std::string take() { return large_.empty() ? std::string(view()) : std::move(large_); }
  void clear() {
    size_ = 0;
    large_.clear();
  }

 private:
  void put_number(std::uint32_t field, std::uint64_t value);
  void append(std::string_view bytes) {
    if (large_.empty() && bytes.size() <= small_.size() - size_) {
      std::memcpy(small_.data() + size_, bytes.data(), bytes.size());
      size_ += bytes.size();
    } else {
      append_large(bytes);
    }
  }
  void append_large(std::string_view bytes);

  // Rows and facts are made in here; what becomes longer goes on in `large_`.
  std::array<char, 256> small_;
  std::size_t size_ = 0;
  std::string large_;
};

// Reads the fields of one message in order. A damaged input ends the reading and sets failed(); it never
// reads outside of its input.
class Decoder {
 public:
  explicit Decoder(std::string_view in) : in_(in) {}

  // Advances to the next field; false at the end or at damage.
  bool next();
  std::uint32_t field() const { return field_; }
  std::uint64_t number() const { return number_; }
  std::int64_t signed_number() const {
    return static_cast<std::int64_t>(number_ >> 1) ^ -static_cast<std::int64_t>(number_ & 1);
  }
  std::string_view bytes() const { return bytes_; }
  bool failed() const { return failed_; }

 private:
  bool varint(std::uint64_t& value);

  std::string_view in_;
  std::size_t at_ = 0;
  std::uint32_t field_ = 0;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
  bool failed_ = false;
};

}  // namespace baton
