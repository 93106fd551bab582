// Where a server is, for clients and workers.
#pragma once

#include <baton/config.hpp>
#include <string>
#include <utility>

namespace baton::BATON_INLINE v0 {

// Where a server is: a URL ("https://baton.example:7711"), its socket, or its data directory. Empty:
// BATON_URL, BATON_SOCKET, BATON_DATA, else the user's own data directory. `key` is BATON_API_KEY, or the
// first line of the file BATON_API_KEY_FILE, unless given; a socket needs none. `ca_file` is BATON_CA_FILE,
// `space` BATON_NAMESPACE unless given.
struct ServerAddress {
  std::string target;
  std::string key;
  std::string ca_file;  // certificates to trust instead of the system's (PEM)
  std::string space;    // the namespace that requests are about; else that of the key, or `default`

  ServerAddress() = default;
  ServerAddress(std::string where) : target(std::move(where)) {}
  ServerAddress(const char* where) : target(where) {}
  ServerAddress(std::string where, std::string with_key, std::string with_ca_file = {})
      : target(std::move(where)), key(std::move(with_key)), ca_file(std::move(with_ca_file)) {}
};

}  // namespace baton::BATON_INLINEv0
