// A definition's graph in the languages of other programs.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "spec/outline.hpp"

namespace baton::cli {

// For Markdown pages of GitHub and GitLab, and mermaid.live.
std::string to_mermaid(const spec::Outline& outline);
// For Graphviz.
std::string to_dot(const spec::Outline& outline);
// {"workflow", "title", "steps": [{"name", "title", "kind", "phase", "needs", "branches", "when",
// "for_each"}]}
boost::json::object to_json(const spec::Outline& outline);

}  // namespace baton::cli
