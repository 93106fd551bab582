// What the system says of this process, under the names that every Prometheus client uses.
#pragma once

#include "telemetry/meter.hpp"

namespace baton::telemetry {

// Any thread. What cannot be read is left out.
void read_process(Reading& reading);

}  // namespace baton::telemetry
