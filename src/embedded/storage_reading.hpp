// Metrics of what the data directory takes and what is left.
#pragma once

#include <string>

#include "telemetry/meter.hpp"

namespace baton::embedded {

// Any thread. What cannot be read is left out.
void read_storage(const std::string& data_dir, telemetry::Reading& reading);

}  // namespace baton::embedded
