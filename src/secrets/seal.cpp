#include "secrets/seal.hpp"

#include <sodium.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace baton::secrets {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kIdSize = 8;
constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kHeader = 1 + kIdSize + kNonceSize;
static_assert(Key::kSize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

// Any number of times, on any thread. It fails where a system has no source of randomness at all: there is
// nothing to go on with.
void begin_sodium() {
  if (::sodium_init() < 0) std::abort();
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Key::~Key() {
  ::sodium_memzero(bytes_.data(), bytes_.size());
}

Key Key::random() {
  begin_sodium();
  std::array<unsigned char, kSize> fresh{};
  ::randombytes_buf(fresh.data(), fresh.size());
  const Key key(fresh);
  ::sodium_memzero(fresh.data(), fresh.size());
  return key;
}

std::string Key::id() const {
  std::array<unsigned char, crypto_generichash_BYTES> hash{};
  ::crypto_generichash(hash.data(), hash.size(), bytes_.data(), bytes_.size(), nullptr, 0);
  return {reinterpret_cast<const char*>(hash.data()), kIdSize};
}

std::string purpose_of(ShardId shard, std::string_view name) {
  return "baton secret, shard " + std::to_string(static_cast<unsigned>(shard)) + ", " + std::string(name);
}

std::string seal(const Key& key, std::string_view purpose, std::string_view value) {
  begin_sodium();
  std::string out(kHeader + value.size() + kTagSize, '\0');
  out[0] = kVersion;
  std::ranges::copy(key.id(), out.begin() + 1);
  auto* nonce = reinterpret_cast<unsigned char*>(out.data()) + 1 + kIdSize;
  ::randombytes_buf(nonce, kNonceSize);
  ::crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(out.data()) + kHeader,
                                               nullptr, bytes(value), value.size(), bytes(purpose),
                                               purpose.size(), nullptr, nonce, key.data());
  return out;
}

Result<std::string> open_sealed(const Key& key, std::string_view purpose, std::string_view sealed) {
  begin_sodium();
  if (sealed.size() < kHeader + kTagSize || sealed[0] != kVersion) {
    return fail(ErrorCode::corrupt, "the sealed value is damaged");
  }
  if (sealed.substr(1, kIdSize) != key.id()) {
    return fail(ErrorCode::bad_configuration, "it was sealed with another key");
  }
  const std::string_view nonce = sealed.substr(1 + kIdSize, kNonceSize);
  const std::string_view box = sealed.substr(kHeader);
  std::string value(box.size() - kTagSize, '\0');
  if (::crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(value.data()), nullptr,
                                                   nullptr, bytes(box), box.size(), bytes(purpose),
                                                   purpose.size(), bytes(nonce), key.data()) != 0) {
    return fail(ErrorCode::corrupt, "the sealed value is damaged, or belongs to another name");
  }
  return value;
}

}  // namespace baton::secrets
