// What somebody has to be to do something. It has no default: who makes a route says it.
#pragma once

#include <optional>
#include <string>

#include "auth/principal.hpp"

namespace baton::auth {

class Permission {
 public:
  Permission() = delete;
  static constexpr Permission anyone() { return Permission(true, std::nullopt); }
  // Whoever is somebody, in whichever role.
  static constexpr Permission somebody() { return Permission(false, std::nullopt); }
  static constexpr Permission at_least(model::Role role) { return Permission(false, role); }

  constexpr bool anonymous() const { return anonymous_; }
  constexpr std::optional<model::Role> least() const { return least_; }
  bool allows(const Principal& principal) const { return !least_ || principal.may(*least_); }

 private:
  constexpr Permission(bool anonymous, std::optional<model::Role> least)
      : anonymous_(anonymous), least_(least) {}
  bool anonymous_;
  std::optional<model::Role> least_;  // none: any
};

// "this needs the role editor; key:ci is a viewer"
std::string refusal(model::Role least, const Principal& principal);

}  // namespace baton::auth
