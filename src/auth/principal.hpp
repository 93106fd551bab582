// Who somebody is.
#pragma once

#include <string>

#include "model/api_key.hpp"

namespace baton::auth {

struct Principal {
  std::string name;  // for journal and audit: "cli:ada", "key:ci"
  model::Role role = model::Role::viewer;
  std::string space = std::string(model::kDefaultNamespace);

  bool may(model::Role least) const { return model::includes(role, least); }
};

}  // namespace baton::auth
