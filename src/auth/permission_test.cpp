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

TEST(Permission, TheServerIsForThoseWhoAreLetInEverywhere) {
  const Permission server = Permission::of_server(Role::operator_);
  const Principal inside{.name = "key:ci", .role = Role::admin, .space = "a"};
  const Principal everywhere{.name = "key:ops", .role = Role::operator_, .space = "*"};
  EXPECT_FALSE(server.allows(inside));
  EXPECT_TRUE(server.allows(everywhere));
  EXPECT_FALSE(Permission::of_server(Role::admin).allows(everywhere));
  EXPECT_EQ(refusal(server, inside), "this is for the whole server; key:ci is for the namespace a only");
  EXPECT_EQ(refusal(Permission::of_server(Role::admin), everywhere),
            "this needs the role admin; key:ops has the role operator");
  EXPECT_TRUE(inside.may_enter("a"));
  EXPECT_FALSE(inside.may_enter("b"));
  EXPECT_FALSE(inside.may_enter("*"));
  EXPECT_TRUE(everywhere.may_enter("b"));
  EXPECT_EQ(inside.home(), "a");
  EXPECT_EQ(everywhere.home(), "default");
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

TEST(Permission, ProgramsComeFromEditorsAndWorkers) {
  for (const Role role : {Role::editor, Role::admin, Role::worker})
    EXPECT_TRUE((Principal{.name = "x", .role = role}.may_bring_programs()));
  for (const Role role : {Role::viewer, Role::operator_})
    EXPECT_FALSE((Principal{.name = "x", .role = role}.may_bring_programs()));
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
