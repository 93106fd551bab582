// What somebody has to be to do something. It has no default: who makes a route says it.
#pragma once

#include <optional>
#include <string>

#include "auth/principal.hpp"

namespace baton::auth {

class Permission {
 public:
  Permission() = delete;
  static constexpr Permission anyone() { return Permission(true, std::nullopt, false); }
  // Whoever is somebody, in whichever role and namespace.
  static constexpr Permission somebody() { return Permission(false, std::nullopt, false); }
  // In the namespace that it is about.
  static constexpr Permission at_least(model::Role role) { return Permission(false, role, false); }
  // For what belongs to the whole server: whoever is let into one namespace only may not.
  static constexpr Permission of_server(model::Role role) { return Permission(false, role, true); }

  constexpr bool anonymous() const { return anonymous_; }
  constexpr std::optional<model::Role> least() const { return least_; }
  constexpr bool of_server() const { return of_server_; }
  bool allows(const Principal& principal) const {
    return !least_ || (principal.may(*least_) && (!of_server_ || principal.is_everywhere()));
  }

 private:
  constexpr Permission(bool anonymous, std::optional<model::Role> least, bool of_server)
      : anonymous_(anonymous), least_(least), of_server_(of_server) {}
  bool anonymous_;
  std::optional<model::Role> least_;  // none: any
  bool of_server_;
};

// "this needs the role editor; key:ci is a viewer"
std::string refusal(model::Role least, const Principal& principal);
// Of a route.
std::string refusal(const Permission& permission, const Principal& principal);
// Of a running task's request that says which programs run.
std::string refusal_of_programs(const Principal& principal);

}  // namespace baton::auth
