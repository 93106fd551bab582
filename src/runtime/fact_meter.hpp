// Metrics of what happens: counts the facts of each commit once it is durable.
#pragma once

#include "runtime/observer.hpp"
#include "telemetry/meter.hpp"

namespace baton::runtime {

class FactMeter final : public Observer {
 public:
  explicit FactMeter(telemetry::Meter& meter) : meter_(meter) {}  // it must outlive this

  void deciding(std::string_view command) override;
  OnDurable sealed(const model::Batch& batch, const engine::State& state) override;
  void committed(std::size_t rows, Duration took) override;
  void refused(const Error& why) override;

 private:
  telemetry::Meter& meter_;
};

}  // namespace baton::runtime
