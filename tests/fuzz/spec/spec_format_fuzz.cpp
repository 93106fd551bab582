// Any bytes as YAML that people wrote: what can be read can be laid out, means the same, keeps its comments,
// and then stays as it is. format_yaml() checks all that itself and says so if it could not; here that is a
// bug.
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
  const auto formatted = format_yaml(text);
  if (!formatted) {
    if (!tree) return 0;
    // Line breaks that YAML 1.1 and 1.2 read differently are refused.
    if (formatted.error().message.find("line break") == std::string::npos) std::abort();
    return 0;
  }
  // A valid definition does not differ from itself.
  if (!tree || !check_workflow(text, {.file_name = "fuzz.yaml"}).outline) return 0;
  if (!diff(*tree, *tree).empty()) std::abort();
  return 0;
}
