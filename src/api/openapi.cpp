#include "api/openapi.hpp"

#include <boost/json/serialize.hpp>

#include "api/handlers.hpp"
#include "spec/read.hpp"

namespace baton::api {

// Read when it is asked for: few do, and keeping both forms would cost memory for ever.
void get_openapi(const CorePtr&, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const auto tree = spec::read_tree("openapi.yaml", openapi_yaml(), {});
  if (!tree) return call->fail({ErrorCode::internal, tree.error().message, ""});
  call->json(200, boost::json::serialize(tree->to_json(tree->root())));
}

}  // namespace baton::api
