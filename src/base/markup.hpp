// Text inside HTML and XML.
#pragma once

#include <string>
#include <string_view>

namespace baton {

// As the content of an element or, between quotes of either kind, of an attribute. Control characters stay:
// XML has no way to write most of them (printable() makes them visible).
std::string escape_markup(std::string_view text);

}  // namespace baton
