#include "engine/values.hpp"

#include "base/json.hpp"
#include "base/json_depth.hpp"

namespace baton::engine {
namespace {

// A parsed document takes a few times the bytes of its text; entries, list and index nodes about 200 bytes.
constexpr std::size_t kParsedFactor = 4;
constexpr std::size_t kEntryBytes = 200;
// Longer texts are seldom the same, and comparing them costs.
constexpr std::size_t kCompared = 4096;

}  // namespace

Result<std::shared_ptr<const boost::json::value>> parse_value(std::string_view text) {
  boost::system::error_code failure;
  boost::json::parse_options options;
  options.max_depth = kReadJsonDepth;
  auto value = parse_json(text, failure, {}, options);
  if (failure) return fail(ErrorCode::expression, "a stored value is not JSON: " + failure.message());
  return std::make_shared<const boost::json::value>(std::move(value));
}

void ValueCache::count(Entry& entry) {
  bytes_ -= entry.bytes;
  const std::size_t text = entry.text ? entry.text->size() : 0;
  entry.bytes = kEntryBytes + text * (entry.parsed ? 1 + kParsedFactor : 1);
  bytes_ += entry.bytes;
}

void ValueCache::put(const model::PayloadKey& key, model::Text text, JournalSequence sequence) {
  if (const auto found = entries_.find(key); found != entries_.end()) {
    bytes_ -= found->second->bytes;
    list_.erase(found->second);
    entries_.erase(found);
  }
  list_.push_front({key, std::move(text), nullptr, nullptr, sequence, 0});
  count(list_.front());
  entries_.emplace(key, list_.begin());
}

void ValueCache::refuse(const model::PayloadKey& key, Error why, JournalSequence sequence) {
  put(key, nullptr, sequence);
  list_.front().refused = std::make_shared<const Error>(std::move(why));
}

model::Text ValueCache::text(const model::PayloadKey& key) {
  const auto at = entries_.at(key);
  list_.splice(list_.begin(), list_, at);
  return at->text;
}

Result<std::shared_ptr<const boost::json::value>> ValueCache::json(const model::PayloadKey& key) {
  const auto at = entries_.at(key);
  list_.splice(list_.begin(), list_, at);
  if (at->refused) return fail(*at->refused);
  if (!at->parsed) {
    if (!at->text) {
      at->parsed = std::make_shared<const boost::json::value>(nullptr);
    } else if (last_text_ && *last_text_ == *at->text) {
      at->parsed = last_parsed_;
    } else {
      TRY(at->parsed, parse_value(*at->text));
      if (at->text->size() <= kCompared) {
        last_text_ = at->text;
        last_parsed_ = at->parsed;
      }
    }
    count(*at);
  }
  return at->parsed;
}

void ValueCache::committed(JournalSequence sequence) {
  committed_ = sequence;
  for (auto at = list_.end(); bytes_ > limit_ && at != list_.begin();) {
    --at;
    if (at->pinned > committed_) continue;
    bytes_ -= at->bytes;
    entries_.erase(at->key);
    at = list_.erase(at);
  }
}

void ValueCache::forget(RunKey run) {
  const auto begin = entries_.lower_bound({run, model::PayloadSlot{}});
  auto end = begin;
  for (; end != entries_.end() && end->first.run == run; ++end) {
    bytes_ -= end->second->bytes;
    list_.erase(end->second);
  }
  entries_.erase(begin, end);
}

void ValueCache::drop(const model::PayloadKey& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  bytes_ -= found->second->bytes;
  list_.erase(found->second);
  entries_.erase(found);
}

}  // namespace baton::engine
