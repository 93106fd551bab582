// Payloads that are in memory: what was decided lately and what was loaded for a decision. Bounded; what is
// not yet durable stays, everything else can be loaded again.
#pragma once

#include <boost/json/value.hpp>
#include <list>
#include <map>
#include <memory>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "model/batch.hpp"
#include "model/payload.hpp"

namespace baton::engine {

// A stored or reported JSON text as a document.
Result<std::shared_ptr<const boost::json::value>> parse_value(std::string_view text);

class ValueCache {
 public:
  explicit ValueCache(std::size_t limit_bytes = std::size_t{64} << 20) : limit_(limit_bytes) {}

  // A value that commit `sequence` will make durable (0: it is durable already). A null text means "there is
  // none".
  void put(const model::PayloadKey& key, model::Text text, JournalSequence sequence);
  // A value that exists but cannot be had (damaged, too large to be put together): json() fails with `why`.
  void refuse(const model::PayloadKey& key, Error why, JournalSequence sequence);
  bool has(const model::PayloadKey& key) const { return entries_.contains(key); }

  // Both need has(key). The text is null if there is none; the parsed form of that is JSON null.
  model::Text text(const model::PayloadKey& key);
  Result<std::shared_ptr<const boost::json::value>> json(const model::PayloadKey& key);

  // Everything up to this commit is durable and may go. Called between decisions only.
  void committed(JournalSequence sequence);
  // All values of a run that has ended; they have to be durable.
  void forget(RunKey run);
  // A value that is put together from others, one of which has changed: it is loaded again when it is needed.
  void drop(const model::PayloadKey& key);
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    model::PayloadKey key;
    model::Text text;
    std::shared_ptr<const boost::json::value> parsed;
    std::shared_ptr<const Error> refused;
    JournalSequence pinned = 0;
    std::size_t bytes = 0;
  };
  using List = std::list<Entry>;  // most recently used first

  void count(Entry& entry);

  std::size_t limit_;
  std::size_t bytes_ = 0;
  JournalSequence committed_ = 0;
  List list_;
  // What was parsed last: runs that were submitted together mostly have the same context.
  model::Text last_text_;
  std::shared_ptr<const boost::json::value> last_parsed_;
  std::map<model::PayloadKey, List::iterator> entries_;  // those of a run stand together
};

}  // namespace baton::engine
