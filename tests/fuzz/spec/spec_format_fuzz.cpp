// Any bytes as YAML that people wrote: what is laid out anew means the same, keeps its comments, and then
// stays as it is. format_yaml() checks that itself before it returns, and refuses what it cannot keep: for
// odd notation that is an answer (format_test holds what must never be refused); here the checks are repeated
// from outside.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "spec/diff.hpp"
#include "spec/format.hpp"
#include "spec/parse.hpp"
#include "spec/read.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baton::spec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tree = read_tree("fuzz.yaml", text, {});
  if (const auto formatted = format_yaml(text)) {
    const auto again = read_tree("fuzz.yaml", *formatted, {});
    if (!tree || !again || !same_values(*tree, *again)) std::abort();
    if (format_yaml(*formatted) != *formatted) std::abort();
  } else if (formatted.error().message.empty()) {
    std::abort();
  }
  // A valid definition does not differ from itself.
  if (!tree || !check_workflow(text, {.file_name = "fuzz.yaml"}).outline) return 0;
  if (!diff(*tree, *tree).empty()) std::abort();
  return 0;
}
