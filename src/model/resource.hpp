// Resources: what a task has made, or is about to make, outside of Baton and what must be given back (a
// deployment, a machine, a temporary bucket), with the command that does it. Kept as records of kind
// `resource`, from before the thing is made until it was given back; what could not be given back stays, as
// leaked, until a person sees to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

// Stored as numbers: append at the end, never reorder.
enum class ResourceStatus : std::uint8_t {
  open,      // the thing may exist
  cleaning,  // a task gives it back
  leaked     // giving it back failed for good: a person has to see to it
};
std::string_view name(ResourceStatus status);

// Where a resource comes from. Stored as numbers: append at the end, never reorder.
enum class ResourceOrigin : std::uint8_t {
  registered,  // by an attempt of its task
  cleanup,     // the `cleanup` of its step failed for good; leaked from the start
  compensate   // the `compensate` of its step failed for good; likewise
};
std::string_view name(ResourceOrigin origin);

struct Resource {
  TaskId task;       // that it belongs to
  std::string name;  // unique among the task's; a word of SEMANTICS 51
  ResourceStatus status = ResourceStatus::open;
  ResourceOrigin origin = ResourceOrigin::registered;
  WallTime at;                // when it was registered, or leaked
  std::uint32_t order = 0;    // of the task's resources: later ones are given back first
  std::uint32_t attempt = 0;  // of its task, that registered it
  std::string body;     // JSON, what its cleaning task gets: {"action": [argv], "env", "workdir", "with"}
  Ordinal cleaner = 0;  // the task that gives it back, or has tried; 0 = none yet
  std::string error;    // of a leaked one: why

  friend bool operator==(const Resource&, const Resource&) = default;
};

inline constexpr std::size_t kResourcesPerTask = 1000;
inline constexpr std::size_t kResourceBody = 64 << 10;  // bytes

// "<run id>.<ordinal>:<name>": its public id, and the key of its record. The ids of a run's resources begin
// with
// "<run id>.", those of a task's with "<run id>.<ordinal>:".
std::string resource_id(const TaskId& task, std::string_view name);
// The name of the resource that stands for what a step declares: no name that a task can register.
std::string_view declared_name(ResourceOrigin origin);

Record record_of(const Resource& resource);
// Fails with ErrorCode::corrupt.
Result<Resource> resource_of(const Record& record);

}  // namespace baton::model
