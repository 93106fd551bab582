// What is wrong with a definition, and where: for people as text with a caret, for editors as JSON.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace baton::spec {

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  ErrorCode code =
      ErrorCode::invalid_definition;  // or unsupported: right, but this version does not do it yet
  std::string file;
  std::uint32_t line = 1;        // from 1
  std::uint32_t column = 1;      // from 1, in characters (code points)
  std::uint32_t end_column = 1;  // one after the last character, on the same line
  std::string message;           // what is wrong and what was expected
  std::string suggestion;        // what to write instead; may be empty
  std::string path;              // of the value: "steps.build.needs[0]"; "" = the whole definition
  std::string source_line;       // the line as it stands in the text, cut for display

  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

// For people, one block per diagnostic, without colours; control characters of the text are made visible:
//
//   build.yaml:7:12: error: unknown step "donwload"
//       needs: [donwload]
//               ^~~~~~~~
//     did you mean: download
std::string render(const Diagnostic& diagnostic);
std::string render(std::span<const Diagnostic> diagnostics);

// [{"file","line","column","end_column","severity","message","suggestion","path","code"}]
boost::json::array to_json(std::span<const Diagnostic> diagnostics);

// The first error as an Error with the text of all of them; nothing must call this without an error.
Error to_error(std::span<const Diagnostic> diagnostics);

}  // namespace baton::spec
