#include "model/run_tag.hpp"

#include <boost/json/serialize.hpp>

#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/json_depth.hpp"

namespace baton::model {

std::string run_tag(std::uint8_t priority, std::string_view context) {
  std::string text = std::to_string(priority);
  boost::system::error_code error;
  const boost::json::value parsed = parse_json(context, error, {}, {.max_depth = kReadJsonDepth});
  for (const char* name : {"metadata", "labels"}) {
    text += '\n';
    if (error || !parsed.is_object()) continue;
    const auto* member = parsed.get_object().if_contains(name);
    // None, and one that is empty, are the same to whoever looks.
    if (member != nullptr && member->is_object() && !member->get_object().empty())
      text += boost::json::serialize(*member);
  }
  return Hash256::of(text).hex().substr(0, 16);
}

}  // namespace baton::model
