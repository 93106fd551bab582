// The worker of a benchmark: a process of its own that says of each task at once that it is done.
#pragma once

#include "base/error.hpp"
#include "client/client.hpp"

namespace baton::benchmark {

// Until the server says for good that it does not want it.
Status run_noop_worker(const client::Server& server);

}  // namespace baton::benchmark
