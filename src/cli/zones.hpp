// The system's time zones, read when they are first asked for: most commands never do.
#pragma once

#include <optional>

#include "calendar/zones.hpp"

namespace baton::cli {

class Zones {
 public:
  // nullptr if the system has none. They live as long as this.
  const calendar::ZoneTable* get() {
    if (!asked_) {
      asked_ = true;
      if (auto table = calendar::ZoneTable::load()) table_ = std::move(*table);
    }
    return table_ ? &*table_ : nullptr;
  }

 private:
  bool asked_ = false;
  std::optional<calendar::ZoneTable> table_;
};

}  // namespace baton::cli
