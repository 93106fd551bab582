#include "api/admission.hpp"

namespace baton::api {

bool may_go_on(Core& core, const Call& call) {
  return core.entrance.admits_still(call.credential, call.session, wall_now(core));
}

bool turn_away(Core& core, Call& call) {
  if (may_go_on(core, call)) return false;
  auto visitor = core.entrance.who(call.request, wall_now(core));
  if (visitor) return false;
  call.respond(std::move(visitor).error());
  return true;
}

void recheck_admissions(Common& common) {
  for (const CorePtr& core : common.spaces.all()) core->watches.wake_all();
}

}  // namespace baton::api
