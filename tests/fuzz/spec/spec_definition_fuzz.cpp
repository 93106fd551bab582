// Any bytes as a definition: a workflow whose canonical form gives the same workflow, or diagnostics that can
// be shown. Checking without running finds no other errors.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.hpp"
#include "spec/inputs.hpp"
#include "spec/parse.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baton::spec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ParseResult result = parse_workflow(text, {"fuzz"});
  // What can be run can be looked at, too.
  const CheckResult checked = check_workflow(text, {.file_name = "fuzz"});
  if (result.workflow && !checked.outline) std::abort();
  if (checked.outline && result.workflow && checked.outline->steps.size() != result.workflow->steps.size())
    std::abort();
  const std::string rendered = render(result.diagnostics);
  if (!baton::is_utf8(rendered)) std::abort();
  (void)to_json(result.diagnostics);
  if (!result.workflow) {
    if (result.diagnostics.empty()) std::abort();
    (void)to_error(result.diagnostics);
    return 0;
  }
  const ParseResult again = parse_canonical(result.workflow->canonical);
  if (!again.workflow || again.workflow->canonical != result.workflow->canonical) std::abort();
  if (again.workflow->reads_env != result.workflow->reads_env) std::abort();
  (void)resolve_inputs(*result.workflow, nullptr);
  return 0;
}
