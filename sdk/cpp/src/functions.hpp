// Public handlers as functions of the executor.
#pragma once

#include <baton/handler.hpp>
#include <memory>

#include "client/client.hpp"
#include "executors/functions/function_executor.hpp"

namespace baton::v0 {

// Where contexts send their calls; filled before the first function is called, then unchanged.
struct CallTarget {
  baton::client::Server server;
};

baton::executors::functions::Function function_of(Handler handler, std::shared_ptr<const CallTarget> target);

}  // namespace baton::v0
