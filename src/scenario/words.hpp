// The words of the format, each with what it means: the reader knows no others, and the reference page is
// held against these tables.
#pragma once

#include <span>
#include <string_view>

namespace baton::scenario {

struct Word {
  std::string_view name;
  std::string_view meaning;
};

std::span<const Word> file_words();      // of a file with several scenarios
std::span<const Word> scenario_words();  // of one scenario
std::span<const Word> mock_words();      // of what a step pretends to do
std::span<const Word> error_words();     // of how it fails
std::span<const Word> worker_words();
std::span<const Word> expect_words();      // besides the fields of a run
std::span<const Word> assumption_words();  // of a step, for `baton simulate`

// What can be done in a timeline.
struct Verb {
  std::string_view name;
  std::string_view argument;  // what may stand behind it; empty = nothing
  bool required = false;      // the argument
  std::string_view options;   // words that may stand beside it, separated by spaces
  std::string_view meaning;
};
std::span<const Verb> verbs();
const Verb* find_verb(std::string_view name);

// What people may have meant by a word that is none of these; "" if nothing comes near.
std::string_view meant(std::string_view word, std::span<const Word> words);

}  // namespace baton::scenario
