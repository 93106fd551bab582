// The file with the key that seals secrets: one line of 64 hexadecimal digits, mode 0600.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "secrets/seal.hpp"

namespace baton::secrets {

// Nothing: there is no such file. bad_configuration: it has no key in it, or all users of the machine may
// read it. io: it cannot be read.
Result<std::optional<Key>> read_key_file(const std::string& path);

// Makes the file, durably; its folder exists. conflict: there is one already.
Status write_key_file(const std::string& path, const Key& key);

}  // namespace baton::secrets
