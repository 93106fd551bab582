#include "model/cached_result.hpp"

#include "base/codec.hpp"

namespace baton::model {

std::string cached_key(std::string_view workflow, std::string_view step, std::string_view content) {
  return std::string(workflow) + '/' + std::string(step) + '/' + Hash256::of(content).hex();
}

bool split_cached_key(std::string_view key, std::string_view& workflow, std::string_view& step) {
  const std::size_t first = key.find('/');
  const std::size_t last = key.rfind('/');
  if (first == std::string_view::npos || last == first) return false;
  workflow = key.substr(0, first);
  step = key.substr(first + 1, last - first - 1);
  return true;
}

Record to_record(const CachedResult& cached) {
  Encoder out;
  out.bytes(1, cached.task.text());
  out.signed_number(2, cached.expires_at.us);
  out.bytes(3, cached.result);
  std::string_view workflow;
  std::string_view step;
  split_cached_key(cached.key, workflow, step);
  return {{RecordKind::cached_result, cached.key}, std::string(workflow), cached.made_at, out.take()};
}

Result<CachedResult> cached_of(const Record& record) {
  CachedResult cached{.key = record.id.key, .task = {}, .made_at = record.at, .expires_at = {}, .result = ""};
  std::string task;
  Decoder in(record.state);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        task = in.bytes();
        break;
      case 2:
        cached.expires_at = WallTime{in.signed_number()};
        break;
      case 3:
        cached.result = in.bytes();
        break;
      default:
        break;
    }
  }
  const auto id = TaskId::parse(task);
  std::string_view workflow;
  std::string_view step;
  if (in.failed() || !id || cached.result.empty() || !split_cached_key(cached.key, workflow, step)) {
    return fail(ErrorCode::corrupt, "the cached result " + record.id.key + " is damaged");
  }
  cached.task = *id;
  return cached;
}

}  // namespace baton::model
