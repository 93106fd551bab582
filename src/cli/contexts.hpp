// Servers by name, with their keys: a file that nobody else may read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace baton::cli {

// The name that stands for the data directory of this machine: nobody else may have it.
inline constexpr std::string_view kLocalContext = "local";

struct ServerContext {
  std::string name;
  std::string url;
  std::string key;      // "" = none
  std::string ca_file;  // "" = the system's certificates
  std::string space;    // the namespace; "" = that of the key
};

struct Contexts {
  std::string current;             // "" = none is in use
  std::vector<ServerContext> all;  // by name

  const ServerContext* find(std::string_view name) const;
};

// A file that there is not has none. bad_configuration: it cannot be read, or others may read it.
Result<Contexts> load_contexts(const std::string& path);
// Mode 0600; its folder is made if need be.
Status save_contexts(const std::string& path, const Contexts& contexts);

// Whoever changes what he has loaded holds this from before that until it is saved.
Result<Fd> lock_contexts(const std::string& path);

// The first line of a file, "-" is standard input: for keys, which never stand on a command line.
Result<std::string> read_key_file(const std::string& path);

}  // namespace baton::cli
