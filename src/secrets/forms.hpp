// In which forms a value turns up again when programs print or send it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace baton::secrets {

// The value without the white space around it; each line of at least 8 bytes, if it has several; the
// value as UTF-8 that was taken for Latin-1; what JSON makes of them; and, if it has at least 8 bytes, in
// base64 (at any place among other bytes, both alphabets, broken into lines of 76) and percent-encoded. Each
// form has at least 4 bytes, and is cut into pieces of 512 if it is longer than 1,024. Distinct, in no order.
std::vector<std::string> forms_of(std::string_view value);

// Without blanks, tabs and line ends at both ends: what is left of a value is what can be masked.
std::string_view trimmed(std::string_view value);

}  // namespace baton::secrets
