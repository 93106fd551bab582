// What everyone outside of the loop holds: sends commands, gets replies. Thread-safe.
#pragma once

#include <functional>
#include <future>
#include <string>

#include "base/error.hpp"
#include "model/command.hpp"

namespace baton::runtime {

class Handle {
 public:
  using ReplyHandler = std::function<void(model::ReplyBody)>;

  virtual ~Handle() = default;

  // Puts the command into the shard's mailbox. `on_reply` is called exactly once, on the loop's thread, after
  // what was decided is durable; it must not block. With a full mailbox or a stopping loop it is called at
  // once with an Error (overloaded, unavailable), with a store that takes no writes with read_only.
  virtual void send(model::CommandBody body, model::Sender sender, ReplyHandler on_reply) = 0;

  // As send(), waits. Never on the loop's thread.
  model::ReplyBody call(model::CommandBody body, model::Sender sender) {
    auto promise = std::make_shared<std::promise<model::ReplyBody>>();
    auto future = promise->get_future();
    send(std::move(body), std::move(sender),
         [promise](model::ReplyBody reply) { promise->set_value(std::move(reply)); });
    return future.get();
  }

  // Calls `listener` on the loop's thread after each durable commit that touched runs, with the keys of the
  // runs. Returns a number for unsubscribe(); after unsubscribe() returned it is not called any more (call it
  // from the loop's thread, or when the loop has stopped).
  virtual std::uint64_t subscribe(std::function<void(const std::vector<RunKey>&)> listener) = 0;
  virtual void unsubscribe(std::uint64_t subscription) = 0;
};

}  // namespace baton::runtime
