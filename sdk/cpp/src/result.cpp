#include <baton/result.hpp>

#include "base/error.hpp"

namespace baton::BATON_INLINE v0 {

std::string_view name(Code code) noexcept {
  return baton::info(static_cast<baton::ErrorCode>(code)).name;
}

Exception::Exception(Error error) : std::runtime_error(error.message), error_(std::move(error)) {}
Exception::~Exception() = default;

}  // namespace baton::BATON_INLINEv0
