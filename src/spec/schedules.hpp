// Schedules and rollouts: what several of their fields say together.
#pragma once

#include <functional>

#include "calendar/zones.hpp"
#include "spec/findings.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// Reports schedules without or with two of `cron`, `every` and `at`, names that are taken, fields without
// effect, and inputs that the workflow does not declare or that are missing. With `zones`, time zones that do
// not exist.
void check_schedules(const Tree& tree, const std::function<const calendar::ZoneTable*()>& zones,
                     Findings& findings);

// Reports a rollback that has no bound.
void check_rollout(const Tree& tree, Findings& findings);

}  // namespace baton::spec
