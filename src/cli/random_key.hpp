#pragma once

#include <string>

namespace baton::cli {

// An idempotency key that nobody else uses.
std::string random_key();

}  // namespace baton::cli
