// What the machine itself costs, measured beside everything else: its speed drifts more between hours than
// most changes matter.
#pragma once

#include <string>

#include "base/error.hpp"

namespace baton::benchmark {

// Microseconds, medians.
Result<double> durable_append(const std::string& directory);  // 4 KiB at a file's end, and fdatasync
Result<double> tcp_round_trip();  // 64 bytes there and back, by loopback, to another thread
Result<double> spawn();           // a program that does nothing, until it was reaped

}  // namespace baton::benchmark
