// The secrets of a shard, opened: the one place where values are in memory.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "model/secret.hpp"
#include "secrets/key_file.hpp"
#include "secrets/redactor.hpp"

namespace baton::secrets {

struct VaultOptions {
  std::string key_file;
  ShardId shard{};
  // The records as they are stored now.
  std::function<Result<std::vector<model::SecretRow>>()> read;
  // Those of other shards, which are sealed with the same file; empty = there are none.
  std::function<Result<std::vector<std::pair<ShardId, model::SecretRow>>>()> others{};
};

// Any thread.
class Vault {
 public:
  explicit Vault(VaultOptions options) : options_(std::move(options)) {}

  // Reads the records: at the start, and after each change before it is answered. Secrets that cannot be
  // opened are no failure; they say why when they are used.
  Status refresh();

  // A value as it is stored under that name. Makes the key file if there is no secret yet, in no shard.
  // invalid_request: the value cannot be one. conflict: the key of the other secrets is missing, or is
  // another one.
  Result<std::string> seal(std::string_view name, std::string_view value);

  // Of one secret: nullopt if it can be opened, else why not.
  std::optional<std::string> problem(std::string_view name) const;

  // Why secrets cannot be opened, each reason once.
  std::vector<std::string> problems() const;

  // What an attempt gets: `spec` of a sealed model::Assignment. not_found, bad_configuration, corrupt: a
  // secret is not there, or cannot be opened; the message names it and says what to do.
  Result<std::string> reveal(std::string_view spec) const;
  // The values that `spec` names, for whoever masks what is printed elsewhere.
  std::vector<std::string> values_in(std::string_view spec) const;

  // Masks every value that there is, the few before each, and all that this process has known. Null: none.
  std::shared_ptr<const Redactor> redactor() const;

 private:
  struct Entry {
    std::string value;
    std::string problem;  // "" = it is open
  };

  Result<std::string> value_of(std::string_view name) const;

  const VaultOptions options_;
  std::mutex reading_;  // one refresh after the other, so that an older reading never replaces a newer one
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Entry, std::less<>> entries_;
  std::set<std::string> known_;  // values
  std::shared_ptr<const Redactor> redactor_;
};

// Why a text cannot be the value of a secret.
Status check_value(std::string_view value);

}  // namespace baton::secrets
