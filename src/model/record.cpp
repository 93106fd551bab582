#include "model/record.hpp"

#include "base/hash.hpp"

namespace baton::model {

std::string tag_of(const Record* record) {
  if (record == nullptr) return "0";
  return Hash256::of(std::to_string(record->at.us) + record->state).hex().substr(0, 16);
}

}  // namespace baton::model
