#include "auth/keys.hpp"

#include <sodium.h>

#include <algorithm>

namespace baton::auth {
namespace {

constexpr std::size_t kAddresses = 16;

}  // namespace

void Keys::replace(std::vector<model::KeyRow> rows) {
  std::unordered_map<Hash256, Entry> entries;
  const std::lock_guard lock(mutex_);
  for (model::KeyRow& row : rows) {
    Entry entry;
    if (const auto old = entries_.find(row.hash); old != entries_.end()) {
      entry.addresses = std::move(old->second.addresses);
      row.used_at = std::max(row.used_at, old->second.row.used_at);
    }
    entry.row = std::move(row);
    const Hash256 hash = entry.row.hash;
    entries.insert_or_assign(hash, std::move(entry));
  }
  entries_ = std::move(entries);
}

Answer Keys::check(std::string_view text, const std::string& address, WallTime now, bool admit) {
  return check(Hash256::of(text), address, now, admit);
}

Answer Keys::check(const Hash256& hash, const std::string& address, WallTime now, bool admit) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(hash);
  if (found == entries_.end() ||
      ::sodium_memcmp(found->first.bytes.data(), hash.bytes.data(), hash.bytes.size()) != 0) {
    return {};
  }
  auto& [row, addresses] = found->second;
  Answer answer{.name = row.name};
  if (!row.is_valid(now)) {
    answer.standing = row.revoked_at ? Standing::revoked : Standing::expired;
    return answer;
  }
  answer.standing = Standing::valid;
  answer.principal = {"key:" + row.name, row.role, row.space};
  const auto here = std::ranges::find(addresses, address);
  answer.known_here = here != addresses.end();
  if (!admit && !answer.known_here) return answer;
  if (answer.known_here) {
    addresses.erase(here);
  } else if (addresses.size() >= kAddresses) {
    addresses.pop_front();
  }
  addresses.push_back(address);
  answer.note_use = !row.used_at || now - *row.used_at >= kNoteUseEvery;
  if (answer.note_use) row.used_at = now;
  return answer;
}

bool Keys::is_valid(const Hash256& hash, WallTime now) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(hash);
  return found != entries_.end() && found->second.row.is_valid(now);
}

}  // namespace baton::auth
