// Each id is a type. A run's key is a growing integer (what the store orders by); its public id is a UUIDv7
// that contains the key, so that looking up a public id needs no index of random values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace baton {

// 128 bits that a command carries for every random choice that its decision makes.
struct Seed {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

// A namespace is a shard; 0 is `default`. At most 4,096 shards in one database.
enum class ShardId : std::uint16_t {};

// The store's key of a run: shard (12 bits) and a sequence that grows by one per run (40 bits). Never 0.
struct RunKey {
  std::int64_t value = 0;
  static constexpr int kSequenceBits = 40;

  static constexpr RunKey make(ShardId shard, std::int64_t sequence) {
    return {(static_cast<std::int64_t>(shard) << kSequenceBits) | sequence};
  }
  constexpr ShardId shard() const { return static_cast<ShardId>(value >> kSequenceBits); }
  constexpr std::int64_t sequence() const { return value & ((std::int64_t{1} << kSequenceBits) - 1); }
  friend constexpr auto operator<=>(RunKey, RunKey) = default;
};

// The public id of a run, a UUIDv7: 48 bits of milliseconds, 12 bits shard, 22 bits random, 40 bits sequence.
struct RunId {
  std::array<std::uint8_t, 16> bytes{};

  static RunId make(RunKey key, WallTime created, const Seed& seed);
  static std::optional<RunId> parse(std::string_view text);  // canonical form, either case

  RunKey key()
      const;  // the key that is encoded; whether such a run exists, and has this id, is the store's to say
  std::string text() const;
  friend auto operator<=>(const RunId&, const RunId&) = default;
};

// A task within its run: its ordinal. The ordinal of a step is its place in the file; items of mapped steps
// and added tasks get the next free ones.
using Ordinal = std::uint32_t;

struct TaskKey {
  RunKey run;
  Ordinal ordinal = 0;
  friend constexpr auto operator<=>(const TaskKey&, const TaskKey&) = default;
};

// The public id of a task: "<run id>.<ordinal>".
struct TaskId {
  RunId run;
  Ordinal ordinal = 0;

  static std::optional<TaskId> parse(std::string_view text);
  std::string text() const;
  friend auto operator<=>(const TaskId&, const TaskId&) = default;
};

// What an attempt is fenced by: unique for ever. `incarnation` counts the owners of a shard, `sequence` the
// attempts that this owner handed out.
struct Token {
  std::uint32_t incarnation = 0;
  std::uint64_t sequence = 0;

  static std::optional<Token> parse(std::string_view text);
  std::string text() const;  // "3-1042"
  friend constexpr auto operator<=>(const Token&, const Token&) = default;
};

// The place of one commit in a shard's journal.
using JournalSequence = std::int64_t;

}  // namespace baton

template <>
struct std::hash<baton::RunKey> {
  std::size_t operator()(baton::RunKey key) const noexcept { return std::hash<std::int64_t>()(key.value); }
};
template <>
struct std::hash<baton::TaskKey> {
  std::size_t operator()(const baton::TaskKey& key) const noexcept {
    return std::hash<std::int64_t>()(key.run.value * 0x9E3779B97F4A7C15LL + key.ordinal);
  }
};
template <>
struct std::hash<baton::Token> {
  std::size_t operator()(const baton::Token& t) const noexcept {
    return std::hash<std::uint64_t>()(t.sequence * 0x9E3779B97F4A7C15ULL + t.incarnation);
  }
};
