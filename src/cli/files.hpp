// Files that commands read.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace baton::cli {

// The whole file; "-" is standard input. not_found, io; too_large beyond `limit` bytes.
Result<std::string> read_text_file(const std::string& path, std::size_t limit);

// A JSON or YAML file as a value; an empty one is null. Errors as above; invalid_input: what is wrong, with
// the place.
Result<boost::json::value> read_value_file(const std::string& path, std::size_t limit);

// Replaces the file as a whole: whoever reads it meanwhile sees the old one or the new one. `mode`
// is lessened by the umask. io.
Status write_text_file(const std::string& path, std::string_view text, unsigned mode = 0666);

}  // namespace baton::cli
