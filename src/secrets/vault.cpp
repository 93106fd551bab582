#include "secrets/vault.hpp"

#include <tuple>

#include "base/text.hpp"
#include "secrets/forms.hpp"
#include "secrets/reveal.hpp"

namespace baton::secrets {
namespace {

std::string missing_key(const std::string& path) {
  return "the key file " + path + " is missing (a backup does not have it)";
}

}  // namespace

Status check_value(std::string_view value) {
  if (value.size() > model::kMaxSecretValue) {
    return fail(ErrorCode::too_large,
                "the value has " + std::to_string(value.size()) + " bytes; at most " +
                    std::to_string(model::kMaxSecretValue) + " are allowed",
                "/value");
  }
  if (!is_utf8(value) || value.find('\0') != std::string_view::npos) {
    return fail(
        ErrorCode::invalid_request,
        "the value must be UTF-8 text without NUL; write bytes as base64, and have the step decode it",
        "/value");
  }
  if (trimmed(value).size() < model::kMinSecretValue) {
    return fail(ErrorCode::invalid_request,
                "the value has fewer than " + std::to_string(model::kMinSecretValue) +
                    " bytes (without blanks around it): so short a text stands everywhere by chance, and "
                    "masking it would hide everything else",
                "/value");
  }
  return {};
}

Status Vault::refresh() {
  const std::lock_guard one(reading_);
  TRY(const std::vector<model::SecretRow> rows, options_.read());
  std::optional<Key> key;
  std::string why;
  if (!rows.empty()) {
    auto read = read_key_file(options_.key_file);
    if (!read) {
      why = read.error().message;
    } else if (!*read) {
      why = missing_key(options_.key_file);
    } else {
      key = **read;
    }
  }
  std::map<std::string, Entry, std::less<>> entries;
  std::vector<std::string> values;
  for (const model::SecretRow& row : rows) {
    Entry entry{.problem = why};
    const std::string purpose = purpose_of(options_.shard, row.name);
    if (key) {
      auto value = open_sealed(*key, purpose, row.sealed);
      if (value) {
        values.push_back(*value);
        entry.value = std::move(*value);
      } else {
        entry.problem = value.error().message;
      }
      for (const std::string& sealed : row.earlier) {
        if (auto earlier = open_sealed(*key, purpose, sealed)) values.push_back(std::move(*earlier));
      }
    }
    entries.emplace(row.name, std::move(entry));
  }
  const std::lock_guard lock(mutex_);
  entries_ = std::move(entries);
  const std::size_t before = known_.size();
  known_.insert(std::make_move_iterator(values.begin()), std::make_move_iterator(values.end()));
  if (known_.size() != before) {
    redactor_ = Redactor::of(std::vector<std::string>(known_.begin(), known_.end()));
  }
  return {};
}

Result<std::string> Vault::seal(std::string_view name, std::string_view value) {
  TRY_VOID(check_value(value));
  // The stored records count, not what is in memory: a key that something is sealed with is never replaced.
  std::vector<std::pair<ShardId, model::SecretRow>> sealed;
  if (options_.others) {
    TRY(sealed, options_.others());
  }
  TRY(const std::vector<model::SecretRow> own, options_.read());
  for (const model::SecretRow& row : own) sealed.emplace_back(options_.shard, row);
  TRY(std::optional<Key> key, read_key_file(options_.key_file));
  if (!key && !sealed.empty()) {
    // Of others nothing is told but that they are there.
    return fail(
        ErrorCode::conflict,
        missing_key(options_.key_file) + ", and " +
            (own.empty() ? "secrets of other namespaces are sealed with it: put it back"
                         : std::to_string(own.size()) +
                               " secrets are sealed with it: put it back, or delete these secrets and set "
                               "them again"));
  }
  if (!key) {
    key = Key::random();
    const Status written = write_key_file(options_.key_file, *key);
    if (!written && written.error().code == ErrorCode::conflict) {
      TRY(key, read_key_file(options_.key_file));  // two were set at once
    } else if (!written) {
      return fail(written.error());
    }
    if (!key) return fail(ErrorCode::io, missing_key(options_.key_file));
  }
  for (const auto& [shard, row] : sealed) {
    const auto opened = open_sealed(*key, purpose_of(shard, row.name), row.sealed);
    if (!opened && opened.error().code == ErrorCode::bad_configuration) {
      return fail(ErrorCode::conflict,
                  shard == options_.shard
                      ? "secret " + row.name + " is sealed with another key than that of " +
                            options_.key_file + ": put the right file there, or delete that secret first"
                      : "secrets of other namespaces are sealed with another key than that of " +
                            options_.key_file + ": put the right file there");
    }
  }
  return secrets::seal(*key, purpose_of(options_.shard, name), value);
}

std::optional<std::string> Vault::problem(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.problem.empty()) return std::nullopt;
  return found->second.problem;
}

std::vector<std::string> Vault::problems() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> reasons;
  for (const auto& [name, entry] : entries_) {
    if (!entry.problem.empty()) reasons.insert(entry.problem);
  }
  return {reasons.begin(), reasons.end()};
}

Result<std::string> Vault::value_of(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    std::vector<std::string_view> names;
    for (const auto& [known, entry] : entries_) names.push_back(known);
    const std::string_view near = nearest(name, names);
    return fail(ErrorCode::not_found,
                "there is no secret \"" + printable(utf8_prefix(name, 128)) + "\"" +
                    (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?") +
                    " (baton secrets set " + printable(utf8_prefix(name, 128)) + ")");
  }
  if (!found->second.problem.empty()) {
    return fail(ErrorCode::bad_configuration,
                "secret \"" + std::string(name) + "\" cannot be opened: " + found->second.problem);
  }
  return found->second.value;
}

Result<std::string> Vault::reveal(std::string_view spec) const {
  return secrets::reveal(spec, [this](std::string_view name) { return value_of(name); });
}

std::vector<std::string> Vault::values_in(std::string_view spec) const {
  std::set<std::string> values;
  std::ignore = secrets::reveal(spec, [&](std::string_view name) {
    auto value = value_of(name);
    if (value) values.insert(*value);
    return value;
  });
  return {values.begin(), values.end()};
}

std::shared_ptr<const Redactor> Vault::redactor() const {
  const std::lock_guard lock(mutex_);
  return redactor_;
}

}  // namespace baton::secrets
