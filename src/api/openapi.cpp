#include "api/openapi.hpp"

#include <boost/json/serialize.hpp>

#include "api/handlers.hpp"
#include "spec/read.hpp"

namespace baton::api {

Result<boost::json::value> read_openapi() {
  const auto tree = spec::read_tree("openapi.yaml", openapi_yaml(), {});
  if (!tree) return fail(ErrorCode::internal, tree.error().message);
  return tree->to_json(tree->root());
}

void get_openapi(const CorePtr&, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const auto document = read_openapi();
  if (!document) return call->fail(document.error());
  call->json(200, boost::json::serialize(*document));
}

}  // namespace baton::api
