// Secrets: values that definitions name and nobody sees. Records of their own; the value is sealed before it
// comes here (secrets/seal.hpp), and nothing in the engine can open it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

inline constexpr std::size_t kMaxSecrets = 1000;
inline constexpr std::size_t kMaxSecretValue = std::size_t{64} << 10;  // bytes of a value
inline constexpr std::size_t kMinSecretValue = 4;  // bytes; masking a shorter one would mask anything
inline constexpr std::size_t kMaxSealed = std::size_t{16} << 20;  // bytes of all sealed values together
inline constexpr std::size_t kEarlierSecrets = 2;  // values before the present one that are kept

struct SecretRow {
  std::string name;
  std::string sealed;                // the value
  std::vector<std::string> earlier;  // sealed values before it, the newest first: for masking alone
  std::uint32_t version = 1;         // counts its values
  std::string by;                    // who set the value
  std::string why;
  WallTime at;          // when the name came to be
  WallTime changed_at;  // when the value was set

  friend bool operator==(const SecretRow&, const SecretRow&) = default;
};

inline RecordKey secret_key(std::string_view name) {
  return {RecordKind::secret, std::string(name)};
}
Record to_record(const SecretRow& row);
Result<SecretRow> secret_of(const Record& record);  // or corrupt

}  // namespace baton::model
