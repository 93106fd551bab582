// Parsed definitions of stored versions, the most recently used ones kept.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "model/definition.hpp"
#include "store/store.hpp"

namespace baton::api {

class Definitions {
 public:
  // Keeps definitions of about so many bytes of text; the last one used always.
  explicit Definitions(store::Reader& store, std::size_t budget = std::size_t{32} << 20)
      : store_(store), budget_(budget) {}

  // corrupt: it is not stored, or cannot be read. Any thread; two that ask for the same at once may both
  // parse it.
  Result<std::shared_ptr<const model::Workflow>> get(const Hash256& hash);

  // A definition whose text is at hand, kept like the others. Fails with corrupt.
  Result<std::shared_ptr<const model::Workflow>> parse(const Hash256& hash, std::string_view canonical);

  // The kept definition of the same content, or this one, which is kept from now on: a large definition that
  // is submitted, followed and shown stands in memory once.
  std::shared_ptr<const model::Workflow> share(std::shared_ptr<const model::Workflow> workflow);

 private:
  struct Entry {
    Hash256 hash;
    std::shared_ptr<const model::Workflow> workflow;
    std::size_t bytes = 0;
  };

  std::shared_ptr<const model::Workflow> find(const Hash256& hash);  // null: it is not kept

  store::Reader& store_;
  const std::size_t budget_;
  std::mutex mutex_;  // guards what follows
  std::list<Entry> recent_;
  std::map<Hash256, std::list<Entry>::iterator> index_;
  std::size_t bytes_ = 0;
};

}  // namespace baton::api
