#include "model/api_key.hpp"

#include <algorithm>
#include <array>

#include "base/codec.hpp"

namespace baton::model {
namespace {

constexpr std::array<std::string_view, 5> kRoles = {"viewer", "operator", "editor", "admin", "worker"};

std::string_view bytes_of(const Hash256& hash) {
  return {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()};
}

void put(Encoder& out, std::uint32_t field, const std::optional<WallTime>& time) {
  if (time) out.number(field, static_cast<std::uint64_t>(time->us));
}

}  // namespace

std::string_view name(Role role) {
  const auto place = static_cast<std::size_t>(role);
  return place >= 1 && place <= kRoles.size() ? kRoles[place - 1] : "unknown";
}

std::optional<Role> role_from(std::string_view name) {
  const auto* found = std::ranges::find(kRoles, name);
  if (found == kRoles.end()) return std::nullopt;
  return static_cast<Role>(found - kRoles.begin() + 1);
}

Record to_record(const KeyRow& row) {
  Encoder out;
  out.bytes(1, bytes_of(row.hash));
  out.number(2, static_cast<std::uint64_t>(row.role));
  out.bytes(4, row.by);
  out.bytes(5, row.why);
  put(out, 6, row.expires_at);
  put(out, 7, row.revoked_at);
  out.bytes(8, row.revoked_by);
  put(out, 9, row.used_at);
  out.bytes(10, row.space);
  return {api_key_key(row.name), "", row.at, out.take()};
}

Result<KeyRow> api_key_of(const Record& record) {
  KeyRow row{.name = record.id.key, .at = record.at};
  row.space.clear();
  bool hashed = false;
  std::uint64_t role = 0;
  Decoder in(record.state);
  const auto time = [&] { return WallTime{static_cast<std::int64_t>(in.number())}; };
  while (in.next()) {
    if (in.field() == 1 && in.bytes().size() == row.hash.bytes.size()) {
      std::ranges::copy(in.bytes(), row.hash.bytes.begin());
      hashed = true;
    }
    if (in.field() == 2) role = in.number();
    if (in.field() == 4) row.by = in.bytes();
    if (in.field() == 5) row.why = in.bytes();
    if (in.field() == 6) row.expires_at = time();
    if (in.field() == 7) row.revoked_at = time();
    if (in.field() == 8) row.revoked_by = in.bytes();
    if (in.field() == 9) row.used_at = time();
    if (in.field() == 10) row.space = in.bytes();
  }
  // A role that this version does not know is none.
  if (in.failed() || !hashed || role < 1 || role > kRoles.size()) {
    return fail(ErrorCode::corrupt, "the record of key " + row.name + " is damaged");
  }
  row.role = static_cast<Role>(role);
  // Of a time when there was one namespace: an admin's key opened the whole server, and still does.
  if (row.space.empty()) row.space = row.role == Role::admin ? kEveryNamespace : kDefaultNamespace;
  return row;
}

}  // namespace baton::model
