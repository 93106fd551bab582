#include "auth/permission.hpp"

namespace baton::auth {

std::string refusal(model::Role least, const Principal& principal) {
  return "this needs the role " + std::string(model::name(least)) + "; " + principal.name + " has the role " +
         std::string(model::name(principal.role));
}

std::string refusal(const Permission& permission, const Principal& principal) {
  if (permission.least() && principal.may(*permission.least()))
    return "this is for the whole server; " + principal.name + " is for the namespace " + principal.space +
           " only";
  return refusal(permission.least().value_or(model::Role::viewer), principal);
}

std::string refusal_of_programs(const Principal& principal) {
  return refusal(model::Role::editor, principal) +
         ": what is to be run comes from an editor, or from a worker with a key of the role worker";
}

}  // namespace baton::auth
