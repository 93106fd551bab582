// The log of what happens: one line per fact that somebody who operates Baton looks for, once it is
// committed. Lines name runs, tasks, steps and types of errors; what tasks have said is in the run.
#pragma once

#include "runtime/observer.hpp"
#include "telemetry/log.hpp"

namespace baton::runtime {

class FactLog final : public Observer {
 public:
  explicit FactLog(telemetry::Log& log) : log_(log) {}  // it must outlive this

  void deciding(std::string_view) override {}
  OnDurable sealed(const model::Batch& batch, const engine::State& state) override;
  void committed(std::size_t, Duration) override {}
  void refused(const Error& why) override;

 private:
  telemetry::Log& log_;
};

}  // namespace baton::runtime
