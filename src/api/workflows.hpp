// Workflows that were applied, and their versions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/core.hpp"
#include "api/request_body.hpp"
#include "model/definition.hpp"
#include "spec/diagnostic.hpp"

namespace baton::api {

struct FoundVersion {
  std::uint32_t version = 0;
  std::shared_ptr<const model::Workflow> workflow;
};

// That version of the workflow; without a number, the one that counts. not_found says what there is instead.
Result<FoundVersion> find_version(Core& core, std::string_view workflow,
                                  std::optional<std::uint32_t> version);

// "version" of a body, if it is there.
Result<std::optional<std::uint32_t>> read_version(const RequestBody& body);

// The problem of a definition with mistakes, all of which stand in `errors`.
void fail_definition(Call& call, std::vector<spec::Diagnostic> diagnostics);

}  // namespace baton::api
