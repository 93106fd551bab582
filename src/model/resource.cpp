#include "model/resource.hpp"

#include <array>

#include "base/codec.hpp"

namespace baton::model {

std::string_view name(ResourceStatus status) {
  constexpr std::array kNames = {"open", "cleaning", "leaked"};
  return kNames[static_cast<std::size_t>(status)];
}

std::string_view name(ResourceOrigin origin) {
  constexpr std::array kNames = {"registered", "cleanup", "compensate"};
  return kNames[static_cast<std::size_t>(origin)];
}

std::string resource_id(const TaskId& task, std::string_view name) {
  return task.text() + ':' + std::string(name);
}

std::string_view declared_name(ResourceOrigin origin) {
  return origin == ResourceOrigin::cleanup ? "(cleanup)" : "(compensate)";
}

Record record_of(const Resource& resource) {
  Encoder out;
  out.number(1, static_cast<std::uint64_t>(resource.status));
  out.number(2, static_cast<std::uint64_t>(resource.origin));
  out.number(3, resource.order);
  out.number(4, resource.attempt);
  out.bytes(5, resource.body);
  out.number(6, resource.cleaner);
  out.bytes(7, resource.error);
  return {.id = {RecordKind::resource, resource_id(resource.task, resource.name)},
          .group = std::string(name(resource.status)),
          .at = resource.at,
          .state = out.take()};
}

Result<Resource> resource_of(const Record& record) {
  const auto damaged = [&] {
    return fail(ErrorCode::corrupt, "the resource " + record.id.key + " is damaged");
  };
  Resource resource;
  const std::string_view id = record.id.key;
  const std::size_t colon = id.find(':');
  if (colon == std::string_view::npos) return damaged();
  const auto task = TaskId::parse(id.substr(0, colon));
  if (!task) return damaged();
  resource.task = *task;
  resource.name = id.substr(colon + 1);
  resource.at = record.at;
  Decoder in(record.state);
  while (in.next()) {
    const std::uint64_t n = in.number();
    switch (in.field()) {
      case 1:
        if (n > static_cast<std::uint64_t>(ResourceStatus::leaked)) return damaged();
        resource.status = static_cast<ResourceStatus>(n);
        break;
      case 2:
        if (n > static_cast<std::uint64_t>(ResourceOrigin::compensate)) return damaged();
        resource.origin = static_cast<ResourceOrigin>(n);
        break;
      case 3:
        resource.order = static_cast<std::uint32_t>(n);
        break;
      case 4:
        resource.attempt = static_cast<std::uint32_t>(n);
        break;
      case 5:
        resource.body = in.bytes();
        break;
      case 6:
        resource.cleaner = static_cast<Ordinal>(n);
        break;
      case 7:
        resource.error = in.bytes();
        break;
      default:
        break;
    }
  }
  if (in.failed()) return damaged();
  return resource;
}

}  // namespace baton::model
