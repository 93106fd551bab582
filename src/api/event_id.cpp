#include "api/event_id.hpp"

#include <charconv>

#include "net/url.hpp"

namespace baton::api {

std::string event_id(ShardId shard, Position at) {
  return std::to_string(static_cast<unsigned>(shard)) + ':' + std::to_string(at.sequence) + ':' +
         std::to_string(at.fact);
}

std::optional<Position> parse_event_id(std::string_view text, ShardId shard) {
  std::uint64_t parts[3];
  for (int i = 0; i < 3; ++i) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parts[i]);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (i < 2) {
      if (!text.starts_with(':')) return std::nullopt;
      text.remove_prefix(1);
    }
  }
  if (!text.empty() || parts[0] != static_cast<unsigned>(shard) || parts[1] > INT64_MAX) return std::nullopt;
  return Position{static_cast<JournalSequence>(parts[1]), parts[2]};
}

std::optional<std::string_view> last_event_id(const net::Request& request) {
  if (const auto last = request.headers.find("Last-Event-ID")) return last;
  return net::find_query(request.query, "after");
}

}  // namespace baton::api
