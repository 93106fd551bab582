// What a run is started with, held against what its workflow declares.
#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string_view>

#include "base/error.hpp"

namespace baton::schema {

// One declared input.
struct Declared {
  std::string_view name;
  const boost::json::value* schema = nullptr;
  const boost::json::value* fallback = nullptr;  // null = none
  bool required = true;
};

// The complete input of a run: `given` with defaults filled in, in the order of the declaration; an optional
// input that is not given is null. Fails with ErrorCode::invalid_input: the message has a line for each
// problem (inputs that are not declared with the nearest name, missing ones, values that do not fit), `where`
// is the JSON pointer of the first.
Result<boost::json::object> complete(std::span<const Declared> declared, const boost::json::value& given);

}  // namespace baton::schema
