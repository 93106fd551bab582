#include "auth/permission.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace baton::auth {
namespace {

using model::Role;

// Who forgets it does not compile.
static_assert(!std::is_default_constructible_v<Permission>);
static_assert(!std::is_convertible_v<Role, Permission>);

TEST(Permission, EachRoleMayWhatThoseBeforeItMay) {
  const Role roles[] = {Role::viewer, Role::operator_, Role::editor, Role::admin};
  for (const Role least : roles) {
    for (const Role has : roles)
      EXPECT_EQ(Permission::at_least(least).allows({.name = "x", .role = has}), has >= least);
    EXPECT_FALSE(Permission::at_least(least).anonymous());
  }
}

TEST(Permission, AWorkerIsApart) {
  const Permission workers = Permission::at_least(Role::worker);
  EXPECT_TRUE(workers.allows({.name = "x", .role = Role::worker}));
  EXPECT_FALSE(workers.allows({.name = "x", .role = Role::viewer}));
  for (const Role role : {Role::operator_, Role::editor, Role::admin})
    EXPECT_TRUE(workers.allows({.name = "x", .role = role}));
  for (const Role least : {Role::viewer, Role::operator_, Role::editor, Role::admin})
    EXPECT_FALSE(Permission::at_least(least).allows({.name = "x", .role = Role::worker}));
}

TEST(Permission, SomeRoutesAreForAnyone) {
  EXPECT_TRUE(Permission::anyone().anonymous());
  EXPECT_TRUE(Permission::anyone().allows({}));
}

TEST(Permission, ARefusalSaysWhatIsMissing) {
  EXPECT_EQ(refusal(Role::editor, {.name = "key:ci", .role = Role::viewer}),
            "this needs the role editor; key:ci has the role viewer");
}

}  // namespace
}  // namespace baton::auth
