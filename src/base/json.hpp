// JSON text → boost::json::value, with the doubles that the text says. boost::json::parse() of the version
// that Debian 12 has is off by a unit in the last place for some numbers of 17 digits: a measured value would
// come back as another one.
#pragma once

#include <boost/json/parse_options.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <string_view>

namespace baton {

// As boost::json::parse: one value, nothing but blanks behind it. A number that does not fit into a double
// is an error (json::error::exponent_overflow).
boost::json::value parse_json(std::string_view text, boost::system::error_code& error,
                              boost::json::storage_ptr storage = {},
                              const boost::json::parse_options& options = {});
// The same, of a text that has to be right: throws boost::system::system_error.
boost::json::value parse_json(std::string_view text, boost::json::storage_ptr storage = {},
                              const boost::json::parse_options& options = {});

}  // namespace baton
