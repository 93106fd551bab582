// Values as they are stored: XChaCha20-Poly1305 of libsodium, with a random nonce. Who has the database and
// not the key learns a value's length, nothing else; a changed byte, or a value put under another name, is
// found.
//
//   1 byte   version of this form: 1
//   8 bytes  which key: the beginning of its BLAKE2b hash
//   24 bytes nonce
//   the rest the value and its authentication; the purpose is authenticated with it
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/ids.hpp"

namespace baton::secrets {

// 256 bits; overwritten when it goes.
class Key {
 public:
  static constexpr std::size_t kSize = 32;

  explicit Key(const std::array<unsigned char, kSize>& bytes) : bytes_(bytes) {}
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key();

  static Key random();
  const unsigned char* data() const { return bytes_.data(); }
  std::string id() const;  // 8 bytes that tell keys apart

 private:
  std::array<unsigned char, kSize> bytes_;
};

// What a value is sealed for: the secret of that name in that shard.
std::string purpose_of(ShardId shard, std::string_view name);

std::string seal(const Key& key, std::string_view purpose, std::string_view value);

// bad_configuration: it was sealed with another key. corrupt: it is damaged, or stands in a wrong place.
Result<std::string> open_sealed(const Key& key, std::string_view purpose, std::string_view sealed);

}  // namespace baton::secrets
