// What ETag and If-Match of a run say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace baton::model {

// Changes whenever what people may edit of a run does: priority, metadata and labels. How far the run is does
// not count: nobody could edit one that goes on. `context`: the payload run_context, "" = none.
std::string run_tag(std::uint8_t priority, std::string_view context);

}  // namespace baton::model
