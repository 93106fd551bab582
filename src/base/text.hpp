// Functions on text that several folders need.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace baton {

// Names of workflows, steps, queues…: [A-Za-z0-9][A-Za-z0-9._-]{0,127}
bool is_name(std::string_view text);

bool is_utf8(std::string_view text);
// Replaces every ill-formed sequence by U+FFFD (as Unicode recommends: one per maximal subpart).
std::string to_utf8(std::string_view bytes);
// The longest prefix of at most `limit` bytes that does not cut a UTF-8 sequence.
std::string_view utf8_prefix(std::string_view text, std::size_t limit);

// The candidate nearest to `word` by Damerau-Levenshtein distance (optimal string alignment), or "" when none
// is near enough (a third of the word's length, at least 1) to be what was meant.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// Makes control characters and escape sequences visible, so that foreign text cannot steer a terminal.
std::string printable(std::string_view text);

}  // namespace baton
