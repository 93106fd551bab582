// Who somebody is.
#pragma once

#include <string>
#include <string_view>

#include "model/api_key.hpp"

namespace baton::auth {

struct Principal {
  std::string name;  // for journal and audit: "cli:ada", "key:ci"
  model::Role role = model::Role::viewer;
  std::string space = std::string(model::kDefaultNamespace);  // that it may enter; or kEveryNamespace

  bool may(model::Role least) const { return model::includes(role, least); }
  // Send what says which programs run: a worker may, since its tasks may add others to their runs.
  bool may_bring_programs() const { return role == model::Role::worker || may(model::Role::editor); }
  bool is_everywhere() const { return space == model::kEveryNamespace; }
  bool may_enter(std::string_view other) const { return is_everywhere() || space == other; }
  // The namespace of its requests that name none.
  std::string_view home() const {
    return is_everywhere() ? model::kDefaultNamespace : std::string_view(space);
  }
};

}  // namespace baton::auth
