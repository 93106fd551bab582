// Ids of events: "shard:sequence:number", the place of a fact in the journal. What a client names to go on
// behind it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "net/http.hpp"

namespace baton::api {

// A commit, and a number among the facts that its stream tells of it: those of the run, or all of them.
struct Position {
  JournalSequence sequence = 0;
  std::size_t fact = 0;
};

std::string event_id(ShardId shard, Position at);
std::optional<Position> parse_event_id(std::string_view text, ShardId shard);

// What the client has seen last: browsers resume with the header Last-Event-ID; a first request may say it as
// `after`.
std::optional<std::string_view> last_event_id(const net::Request& request);

}  // namespace baton::api
