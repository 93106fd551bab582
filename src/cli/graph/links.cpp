#include "cli/graph/links.hpp"

#include <algorithm>

#include "cli/output.hpp"

namespace baton::cli {
namespace {

void sort_and_clean(std::vector<Ordinal>& steps) {
  std::ranges::sort(steps);
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
}

// "${{ steps.plan.result }}" → "steps.plan.result"
std::string bare(std::string text) {
  if (text.starts_with("${{") && text.ends_with("}}")) text = text.substr(3, text.size() - 5);
  const std::size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string::npos) return "";
  return one_line(text.substr(begin, text.find_last_not_of(" \t\n") + 1 - begin));
}

}  // namespace

Links::Links(const spec::Outline& outline, bool unicode)
    : before_(outline.steps.size()),
      after_(outline.steps.size()),
      notes_(outline.steps.size()),
      conditional_(outline.steps.size(), false) {
  const std::size_t count = outline.steps.size();
  for (Ordinal i = 0; i < count; ++i) {
    before_[i] = outline.steps[i].needs;
    for (const Ordinal need : before_[i]) after_[need].push_back(i);
  }
  for (Ordinal i = 0; i < count; ++i) {
    const std::string& kind = outline.steps[i].kind;
    if (kind != "run" && kind != "exec") notes_[i].push_back(kind);
  }
  for (Ordinal i = 0; i < count; ++i) {
    for (const auto& branch : outline.steps[i].branches) {
      conditional_[branch.target] = true;
      notes_[branch.target].push_back(branch.when.empty() ? "otherwise" : "if " + bare(branch.when));
      if (branch.target == i || reaches(branch.target, i)) continue;
      before_[branch.target].push_back(i);
      after_[i].push_back(branch.target);
    }
  }
  for (Ordinal i = 0; i < count; ++i) {
    sort_and_clean(before_[i]);
    sort_and_clean(after_[i]);
    const auto& step = outline.steps[i];
    if (!step.for_each.empty()) notes_[i].push_back((unicode ? "× " : "for each ") + bare(step.for_each));
    if (!step.when.empty()) {
      notes_[i].push_back("if " + bare(step.when));
      conditional_[i] = true;
    }
  }
  std::vector<std::size_t> missing(count);
  for (Ordinal i = 0; i < count; ++i) {
    missing[i] = before_[i].size();
    if (missing[i] == 0) order_.push_back(i);
  }
  for (std::size_t at = 0; at < order_.size(); ++at) {
    for (const Ordinal next : after_[order_[at]]) {
      if (--missing[next] == 0) order_.push_back(next);
    }
  }
}

bool Links::reaches(Ordinal from, Ordinal to) const {
  std::vector<bool> seen(after_.size(), false);
  std::vector<Ordinal> open{from};
  while (!open.empty()) {
    const Ordinal at = open.back();
    open.pop_back();
    if (at == to) return true;
    if (seen[at]) continue;
    seen[at] = true;
    open.insert(open.end(), after_[at].begin(), after_[at].end());
  }
  return false;
}

}  // namespace baton::cli
