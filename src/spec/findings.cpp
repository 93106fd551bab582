#include "spec/findings.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "base/text.hpp"

namespace baton::spec {
namespace {

std::uint32_t characters(std::string_view text) {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Finds the paths of some nodes in one walk. Recursion is bounded by the tree's depth.
class Paths {
 public:
  Paths(const Tree& tree, std::unordered_map<NodeId, std::string>& wanted) : tree_(tree), wanted_(wanted) {}

  void visit(NodeId node) {
    note(node);
    const std::size_t size = path_.size();
    if (tree_.is(node, NodeKind::list)) {
      std::size_t index = 0;
      for (const NodeId item : tree_.items(node)) {
        path_ += "[" + std::to_string(index++) + "]";
        visit(item);
        path_.resize(size);
      }
    }
    for (const Member m : tree_.members(node)) {
      const std::string_view key = tree_.text(m.key);
      if (is_name(key) && key.find('.') == std::string_view::npos) {
        if (size > 0) path_ += '.';
        path_ += key;
      } else {
        path_ += "[\"" + printable(utf8_prefix(key, 128)) + "\"]";
      }
      note(m.key);
      visit(m.value);
      path_.resize(size);
    }
  }

 private:
  void note(NodeId node) {
    if (const auto found = wanted_.find(node); found != wanted_.end()) found->second = path_;
  }

  const Tree& tree_;
  std::unordered_map<NodeId, std::string>& wanted_;
  std::string path_;
};

}  // namespace

void Places::walk_to(std::size_t offset) {
  if (offset < at_) {
    at_ = line_start_ = 0;
    line_ = column_ = 1;
  }
  while (true) {
    const std::size_t newline = source_.find('\n', at_);
    if (newline >= offset) break;
    at_ = line_start_ = newline + 1;
    ++line_;
    column_ = 1;
  }
  column_ += characters(source_.substr(at_, offset - at_));
  at_ = offset;
}

void Places::set(Diagnostic& d, Span span) {
  walk_to(std::min<std::size_t>(span.offset, source_.size()));
  // Enough for every display; a definition in one line of 16 MiB would be copied for every error otherwise.
  constexpr std::size_t kKept = 64 * 1024;
  const std::size_t limit = std::min(source_.size(), at_ + kKept);
  const std::size_t newline = source_.substr(0, limit).find('\n', at_);
  std::size_t end = std::min(newline, limit);
  if (newline < limit && end > line_start_ && source_[end - 1] == '\r') --end;
  end = std::max(end, at_);
  d.line = line_;
  d.column = column_;
  d.end_column =
      column_ + std::max(1U, characters(source_.substr(at_, std::min<std::size_t>(span.length, end - at_))));
  if (at_ - line_start_ < kKept)
    d.source_line = to_utf8(utf8_prefix(source_.substr(line_start_, end - line_start_), kKept));
}

void set_place(Diagnostic& d, std::string_view source, Span span) {
  Places(source).set(d, span);
}

void Findings::add(Finding finding) {
  if (finding.severity == Severity::error) ++errors_;
  if (full()) {
    ++more_;
  } else {
    found_.push_back(std::move(finding));
  }
}

void Findings::error(NodeId node, std::string message, std::string suggestion) {
  add({node, tree_[node].span, Severity::error, ErrorCode::invalid_definition, std::move(message),
       std::move(suggestion)});
}

void Findings::error(NodeId node, Span span, std::string message, std::string suggestion) {
  add({node, span, Severity::error, ErrorCode::invalid_definition, std::move(message),
       std::move(suggestion)});
}

void Findings::unsupported(NodeId node, std::string_view name) {
  const bool refused = later_ == Later::refuse;
  add({node,
       tree_[node].span,
       refused ? Severity::error : Severity::warning,
       ErrorCode::unsupported,
       "`" + std::string(name) +
           (refused ? "` is not supported by this version yet"
                    : "` does nothing in this version yet: `baton run` will refuse the workflow"),
       {}});
}

void Findings::warning(NodeId node, std::string message, std::string suggestion) {
  add({node, tree_[node].span, Severity::warning, ErrorCode::invalid_definition, std::move(message),
       std::move(suggestion)});
}

Span Findings::inside(NodeId scalar, std::size_t offset, std::size_t length) const {
  const Node& node = tree_[scalar];
  const std::string_view text = tree_.text(scalar);
  offset = std::min(offset, text.size());
  length = std::min(length, text.size() - offset);
  if (node.in_source) {
    return {static_cast<std::uint32_t>(node.first + offset), static_cast<std::uint32_t>(length)};
  }
  const std::string_view source = tree_.source().substr(node.span.offset, node.span.length);
  const std::string_view part = text.substr(offset, length);
  // Escapes and indentation only make the source longer, so the part cannot stand before its offset.
  const std::size_t found =
      part.empty() ? std::string_view::npos : source.find(part, std::min(offset, source.size()));
  if (found == std::string_view::npos) return node.span;
  return {static_cast<std::uint32_t>(node.span.offset + found), static_cast<std::uint32_t>(length)};
}

std::vector<Diagnostic> Findings::take(std::string_view file) {
  std::unordered_map<NodeId, std::string> paths;
  for (const Finding& f : found_) paths[f.node] = {};
  if (!found_.empty() && tree_.root() != kNoNode) Paths(tree_, paths).visit(tree_.root());
  std::vector<std::size_t> order(found_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(found_[i].span.offset, i); });
  std::vector<Diagnostic> diagnostics;
  Places places(tree_.source());
  for (const std::size_t i : order) {
    Finding& f = found_[i];
    Diagnostic d;
    d.severity = f.severity;
    d.code = f.code;
    d.file = file;
    d.message = std::move(f.message);
    d.suggestion = std::move(f.suggestion);
    d.path = paths[f.node];
    places.set(d, f.span);
    const auto same = [&](const Diagnostic& other) {
      return std::tie(other.line, other.column, other.message) == std::tie(d.line, d.column, d.message);
    };
    if (std::ranges::none_of(diagnostics, same)) diagnostics.push_back(std::move(d));
  }
  if (more_ > 0) {
    Diagnostic d;
    d.file = file;
    d.message = "and " + std::to_string(more_) + " more errors";
    set_place(d, tree_.source(), {});
    d.source_line.clear();
    diagnostics.push_back(std::move(d));
  }
  return diagnostics;
}

}  // namespace baton::spec
