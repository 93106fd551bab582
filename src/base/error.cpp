#include "base/error.hpp"

#include <array>
#include <cstring>

namespace baton {
namespace {

constexpr std::array kCodes = {
    ErrorCodeInfo{ErrorCode::usage, "usage", 2, 400},
    ErrorCodeInfo{ErrorCode::invalid_definition, "invalid_definition", 2, 422},
    ErrorCodeInfo{ErrorCode::invalid_input, "invalid_input", 2, 422},
    ErrorCodeInfo{ErrorCode::invalid_request, "invalid_request", 2, 400},
    ErrorCodeInfo{ErrorCode::unsupported, "unsupported", 2, 422},
    ErrorCodeInfo{ErrorCode::not_found, "not_found", 5, 404},
    ErrorCodeInfo{ErrorCode::conflict, "conflict", 6, 409},
    ErrorCodeInfo{ErrorCode::stale_token, "stale_token", 6, 409},
    ErrorCodeInfo{ErrorCode::idempotency_mismatch, "idempotency_mismatch", 6, 409},
    ErrorCodeInfo{ErrorCode::not_allowed, "not_allowed", 4, 403},
    ErrorCodeInfo{ErrorCode::too_large, "too_large", 2, 413},
    ErrorCodeInfo{ErrorCode::overloaded, "overloaded", 8, 429},
    ErrorCodeInfo{ErrorCode::read_only, "read_only", 8, 503},
    ErrorCodeInfo{ErrorCode::unavailable, "unavailable", 8, 503},
    ErrorCodeInfo{ErrorCode::timed_out, "timed_out", 7, 504},
    ErrorCodeInfo{ErrorCode::owned, "owned", 6, 409},
    ErrorCodeInfo{ErrorCode::io, "io", 74, 500},
    ErrorCodeInfo{ErrorCode::corrupt, "corrupt", 74, 500},
    ErrorCodeInfo{ErrorCode::bad_configuration, "bad_configuration", 78, 500},
    ErrorCodeInfo{ErrorCode::expression, "expression", 1, 422},
    ErrorCodeInfo{ErrorCode::interrupted, "interrupted", 130, 503},
    ErrorCodeInfo{ErrorCode::internal, "internal", 1, 500},
};

}  // namespace

std::span<const ErrorCodeInfo> all_error_codes() {
  return kCodes;
}

const ErrorCodeInfo& info(ErrorCode code) {
  return kCodes[static_cast<std::size_t>(code)];
}

std::optional<ErrorCode> error_code_from_name(std::string_view name) {
  for (const auto& row : kCodes) {
    if (row.name == name) return row.code;
  }
  return std::nullopt;
}

std::string errno_text(int errno_value) {
  const char* description = strerrordesc_np(errno_value);
  return description != nullptr ? description : "error " + std::to_string(errno_value);
}

}  // namespace baton
