// What can be seen of a run from outside: the API's objects, with instants counted from the beginning.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "store/store.hpp"

namespace baton::scenario {

struct ObservedTask {
  std::string name;  // "fetch", "label[2]", "deploy.cleanup"
  TaskId id;
  boost::json::object fields;
};
struct Observed {
  boost::json::object run;
  std::vector<ObservedTask> tasks;
};

Result<Observed> observe(store::Reader& reader, const RunId& run);

}  // namespace baton::scenario
