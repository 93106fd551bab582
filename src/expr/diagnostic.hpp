// What is wrong with the text of an expression, and where.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace baton::expr {

struct Diagnostic {
  std::size_t offset = 0;  // bytes into the text
  std::size_t length = 0;  // bytes; 0 points between two bytes (as at the end of the text)
  std::string message;     // a sentence without a full stop
  std::string suggestion;  // what was probably meant, ready to be put in; may be empty

  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};
using Diagnostics = std::vector<Diagnostic>;

// Three lines for a terminal or log: message, the line of the text, a caret below. Columns count code points,
// control characters are shown as spaces.
//
//   unknown variable `input`, did you mean `inputs`?
//     size(input.paths) > 0
//          ^~~~~
std::string render_caret(std::string_view text, const Diagnostic& diagnostic);

}  // namespace baton::expr
