// Version, liveness, readiness.
#include <unistd.h>

#include "api/handlers.hpp"

namespace baton::api {

void get_version(const CorePtr& core, CallPtr call) {
  JsonText out;
  out.begin_object();
  out.key("version").string(core->services.version);
  out.key("api").string("v1");
  out.key("data_dir").string(core->services.data_dir);
  out.key("pid").integer(::getpid());
  const std::uint16_t port = core->services.port ? core->services.port() : 0;
  if (port != 0) out.key("port").integer(port);
  out.end_object();
  call->json(200, out.take());
}

void get_alive(const CorePtr&, CallPtr call) {
  call->text(200, "ok\n");
}

void get_ready(const CorePtr& core, CallPtr call) {
  if (core->services.ready) {
    if (const auto ready = core->services.ready(); !ready) return call->fail(ready.error());
  }
  call->text(200, "ok\n");
}

}  // namespace baton::api
