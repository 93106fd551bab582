#include "auth/permission.hpp"

namespace baton::auth {

std::string refusal(model::Role least, const Principal& principal) {
  return "this needs the role " + std::string(model::name(least)) + "; " + principal.name + " has the role " +
         std::string(model::name(principal.role));
}

}  // namespace baton::auth
