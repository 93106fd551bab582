// Filters (`where`) and the ids of streams from anybody. What is a filter narrows as often as one likes to
// the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/event_id.hpp"
#include "api/where.hpp"

using namespace baton;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const WallTime now{1'700'000'000'000'000};
  const auto where = api::parse_where(text, now);
  if (where) {
    store::RunFilter once;
    const bool any = api::narrow(once, *where);
    if (any) {
      store::RunFilter twice = once;
      if (!api::narrow(twice, *where)) std::abort();
      if (twice.statuses != once.statuses || twice.workflows != once.workflows) std::abort();
    }
  } else if (where.error().message.empty() || where.error().code != ErrorCode::invalid_request) {
    std::abort();
  }
  if (const auto position = api::parse_event_id(text, ShardId{0})) {
    const auto again = api::parse_event_id(api::event_id(ShardId{0}, *position), ShardId{0});
    if (!again || again->sequence != position->sequence || again->fact != position->fact) std::abort();
  }
  return 0;
}
