// How wide text is on a terminal, without the locale's help.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace baton::cli {

// Columns that UTF-8 text takes: 2 for East Asian wide characters and emoji, 0 for combining marks and for
// SGR sequences, 1 for the rest.
std::size_t text_width(std::string_view text);

// Cut to `columns`, with "…" as the last column if something is left out. SGR sequences are kept.
std::string fit(std::string_view text, std::size_t columns);
// fit(), then filled with blanks.
std::string pad(std::string_view text, std::size_t columns);
std::string pad_left(std::string_view text, std::size_t columns);

}  // namespace baton::cli
