// The log of what happens: one line per fact that somebody who operates Baton looks for, once it is
// committed. Lines name runs, tasks, steps and types of errors; what tasks have said is in the run.
#pragma once

#include <string>
#include <utility>

#include "runtime/observer.hpp"
#include "telemetry/log.hpp"

namespace baton::runtime {

class FactLog final : public Observer {
 public:
  // The log must outlive this. `space`: the namespace, for each line; "" = none.
  explicit FactLog(telemetry::Log& log, std::string space = {}) : log_(log), space_(std::move(space)) {}

  void deciding(std::string_view) override {}
  OnDurable sealed(const model::Batch& batch, const engine::State& state) override;
  void committed(std::size_t, Duration) override {}
  void refused(const Error& why) override;

 private:
  telemetry::Log& log_;
  std::string space_;
};

}  // namespace baton::runtime
