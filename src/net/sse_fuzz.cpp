// Event streams from arbitrary bytes: cuts make no difference, limits hold, and what is written is read back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "net/sse.hpp"

namespace {

using namespace baton::net;

std::vector<SseEvent> events_of(std::string_view input, std::size_t step) {
  SseParser parser(256);
  std::vector<SseEvent> events;
  for (std::size_t at = 0; at < input.size(); at += step) {
    const auto fed = parser.feed(input.substr(at, step), [&](SseEvent event) {
      if (event.data.size() > 256) std::abort();
      events.push_back(std::move(event));
      return true;
    });
    if (!fed) break;
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto events = events_of(input, input.size());
  if (events != events_of(input, 1 + data[0])) std::abort();
  for (const auto& event : events) {
    SseParser again;
    const auto fed = again.feed(sse_event(event.id, event.event, event.data), [&](const SseEvent& read) {
      if (read != event) std::abort();
      return true;
    });
    if (!fed) std::abort();
  }
  return 0;
}
