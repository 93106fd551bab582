// What somebody has to be to do something. It has no default: who makes a route says it.
#pragma once

#include <optional>
#include <string>

#include "auth/principal.hpp"

namespace baton::auth {

class Permission {
 public:
  Permission() = delete;
  static constexpr Permission anyone() { return Permission(std::nullopt); }
  static constexpr Permission at_least(model::Role role) { return Permission(role); }

  constexpr bool anonymous() const { return !least_; }
  constexpr std::optional<model::Role> least() const { return least_; }
  bool allows(const Principal& principal) const { return !least_ || principal.may(*least_); }

 private:
  explicit constexpr Permission(std::optional<model::Role> least) : least_(least) {}
  std::optional<model::Role> least_;
};

// "this needs the role editor; key:ci is a viewer"
std::string refusal(model::Role least, const Principal& principal);

}  // namespace baton::auth
