// Text → validated workflow. The language is described by the table in spec/fields.hpp and
// docs/reference/definition.md.
//
// Pure and free of global state: any thread may call. Time and memory are bounded by the limits of a
// definition (RELIABILITY: 16 MiB, depth 64, 2 million values, 100,000 steps).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/zones.hpp"
#include "model/definition.hpp"
#include "spec/diagnostic.hpp"
#include "spec/outline.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

struct ParseOptions {
  // For messages, and to tell JSON (.json) from YAML (.yaml, .yml); with another name the text is JSON if its
  // first character is `{`.
  std::string file_name = "definition";
  // The time zones that there are; asked for only if the definition names one. Without it, any name will do.
  std::function<const calendar::ZoneTable*()> zones = {};
};

struct ParseResult {
  std::shared_ptr<const model::Workflow> workflow;  // nullptr if there are errors
  std::vector<Diagnostic> diagnostics;  // in the order of the text; warnings do not prevent a workflow
};

// For a definition that is going to be run. Finds all errors at once; only an error of syntax ends the
// reading. Fields that this version does nothing with are errors with ErrorCode::unsupported.
ParseResult parse_workflow(std::string_view text, const ParseOptions& options = {});
// Of a map that is read already, perhaps a part of a larger text, whose places the diagnostics have.
ParseResult parse_workflow(const Tree& tree, const ParseOptions& options = {});

struct CheckResult {
  std::optional<Outline> outline;  // nothing if there are errors
  std::vector<Diagnostic> diagnostics;
};
// For a definition that is only looked at. As parse_workflow(), but fields that this version does nothing
// with are checked all the same and get a warning (with ErrorCode::unsupported).
CheckResult check_workflow(std::string_view text, const ParseOptions& options = {});

// Where steps are added (SEMANTICS 43): to a run of `definition`, whose inputs they may read.
struct AdditionScope {
  const model::Workflow& definition;
  std::vector<std::string> names;  // of steps that are there already and may be needed
  std::string queue = "default";   // of those that name none
};
struct AdditionResult {
  // As model::Addition::text stands for: first a step for each of `outside`, then those to be added. nullptr
  // if there are errors.
  std::shared_ptr<const model::Workflow> workflow;
  std::vector<std::string> outside;  // the names that are needed
  std::vector<Diagnostic> diagnostics;
};
// Steps that a running task adds: a map with `steps`, and `defaults`, `env` and `targets` of their own.
AdditionResult parse_addition(std::string_view text, const AdditionScope& scope,
                              const ParseOptions& options = {});

// For a stored definition (Workflow::canonical), which may be longer than what people may submit.
ParseResult parse_canonical(std::string_view text);

}  // namespace baton::spec
