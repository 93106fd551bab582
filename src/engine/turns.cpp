#include "engine/turns.hpp"

#include <algorithm>

namespace baton::engine {
namespace {

constexpr std::size_t kFewKeys = 64;

}  // namespace

std::uint64_t take_turn(Queue& queue, std::uint8_t priority, const std::string& fair_key,
                        std::uint32_t weight) {
  Turns& turns = queue.turns[priority];
  if (turns.next.size() >= turns.tidy_at) {
    std::erase_if(turns.next, [&](const auto& entry) { return entry.second <= turns.now; });
    turns.tidy_at = std::max(kFewKeys, 2 * turns.next.size());
  }
  std::uint64_t& next = turns.next[fair_key];
  const std::uint64_t turn = std::max(next, turns.now);
  next = turn + kTurn / weight;
  return turn;
}

void remember_turn(Queue& queue, std::uint8_t priority, const std::string& fair_key, std::uint64_t turn,
                   std::uint32_t weight) {
  std::uint64_t& next = queue.turns[priority].next[fair_key];
  next = std::max(next, turn + kTurn / weight);
}

void note_turn(Queue& queue, std::uint8_t priority, std::uint64_t turn) {
  Turns& turns = queue.turns[priority];
  turns.now = std::max(turns.now, turn);
}

}  // namespace baton::engine
