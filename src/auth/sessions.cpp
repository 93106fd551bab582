#include "auth/sessions.hpp"

#include <algorithm>

#include "auth/key_text.hpp"

namespace baton::auth {

Result<OpenedSession> Sessions::open(const Hash256& key, WallTime now) {
  OpenedSession opened;
  TRY(opened.text, new_key_text());
  TRY(opened.session.csrf, new_key_text());
  opened.session.id = Hash256::of(opened.text);
  opened.session.key = key;
  opened.session.ends = now + kSessionLasts;
  const std::lock_guard lock(mutex_);
  if (sessions_.size() >= kMostSessions) {
    std::erase_if(sessions_, [&](const auto& entry) { return entry.second.ends <= now; });
    if (sessions_.size() >= kMostSessions) {
      sessions_.erase(
          std::ranges::min_element(sessions_, {}, [](const auto& entry) { return entry.second.ends; }));
    }
  }
  sessions_.insert_or_assign(opened.session.id, opened.session);
  return opened;
}

std::optional<Session> Sessions::find(std::string_view text, WallTime now) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(Hash256::of(text));
  if (found == sessions_.end()) return std::nullopt;
  if (found->second.ends <= now) {
    sessions_.erase(found);
    return std::nullopt;
  }
  return found->second;
}

bool Sessions::is_open(const Hash256& id, WallTime now) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  return found != sessions_.end() && now < found->second.ends;
}

void Sessions::close(std::string_view text) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(Hash256::of(text));
}

}  // namespace baton::auth
