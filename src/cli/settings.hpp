// What the command line is configured with: each value and where it comes from. Later wins: default, file,
// environment, flag.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "cli/output.hpp"
#include "executors/http/egress.hpp"
#include "net/address_policy.hpp"
#include "net/tls.hpp"
#include "net/url.hpp"
#include "server/listen_address.hpp"
#include "telemetry/log.hpp"

namespace baton::cli {

// What stands on the command line; "" = not given.
struct Flags {
  std::string config;
  std::string data;
  std::string concurrency;
  std::string output;
  std::string listen;
  std::string tls_cert;
  std::string tls_key;
  std::string trusted_proxies;
  std::string url;
  std::string ca_file;
  std::string space;
  bool quiet = false;
};

struct Setting {
  std::string name;  // in the file
  std::string value;
  std::string
      origin;  // "default", "flag --data", "environment BATON_DATA", "/home/ada/.config/baton/config.yaml:3"
  std::string environment;  // the variable that sets it
};

// A server that commands go to, instead of a data directory.
struct Remote {
  std::string url;
  net::Endpoint endpoint;
  std::string key;       // "" = none is known yet
  std::string key_file;  // that it stands in, instead; read when the server is asked
  std::string ca_file;   // whose certificates are trusted; "" = the system's
};

struct Settings {
  std::string config_file;        // "" = none was read
  std::string data_dir;           // absolute
  std::uint32_t concurrency = 0;  // 0 = as many as the machine suggests
  Format output = Format::table;
  executors::http::Egress egress;
  std::optional<std::uint64_t> min_free_space;  // bytes; none = as the file system suggests
  server::ListenAddress listen;                 // of baton server and baton dev
  net::TlsServerOptions tls;                    // absolute paths; "" = without
  std::vector<std::string> hosts;               // names that a server is called by
  std::vector<std::string> origins;             // of pages elsewhere that may ask a server
  std::string submit_workflow;                  // that POST /api/tasks/submit makes runs of; "" = none
  std::vector<net::AddressRange> trusted_proxies;
  std::optional<Remote> remote;
  std::string space;             // the namespace that commands are about; "" = that of the key, or `default`
  std::string secrets_key_file;  // absolute; "" = in the data directory
  Duration keep_completed;       // how long ended runs are kept; zero = for ever
  Duration keep_failed;
  telemetry::LogOptions log;  // of a server and of the owner in the background; without `now`
  std::vector<Setting> all;   // in the order of documentation
};

using Environment = std::function<std::optional<std::string>(const char*)>;
// getenv; an empty variable counts as one that is not set.
Environment process_environment();

// A setting with several values as text, "10.0.0.0/8, fd00::/8"; commas or blanks stand between them.
std::vector<std::string> split_list(std::string_view text);
std::string join_list(const std::vector<std::string>& items);

// Where contexts are kept (contexts.hpp).
std::string contexts_path(const Environment& environment);

// bad_configuration: the file cannot be read or has unknown keys or wrong values, a variable has a wrong
// value. usage: a flag has a wrong value.
Result<Settings> load_settings(const Flags& flags, const Environment& environment);

}  // namespace baton::cli
