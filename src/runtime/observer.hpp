// Who is told what the shard loop does: metrics, logs. An observer decides nothing and must not block.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "engine/state.hpp"
#include "model/batch.hpp"

namespace baton::runtime {

// Called on the loop's thread.
class Observer {
 public:
  using OnDurable = std::move_only_function<void()>;

  virtual ~Observer() = default;

  // A command is about to be decided.
  virtual void deciding(std::string_view command) = 0;
  // A batch is on its way to the store. The runs that it is about are in memory now, and may not be later:
  // what is to be said of them is gathered here and said by the answer, which is called once the batch is
  // durable. Of a batch that is not committed it is dropped.
  virtual OnDurable sealed(const model::Batch& batch, const engine::State& state) = 0;
  // A batch is durable: how many rows it has, and how long that took since it was sealed.
  virtual void committed(std::size_t rows, Duration took) = 0;
  // The store took no write.
  virtual void refused(const Error& why) = 0;
};

}  // namespace baton::runtime
