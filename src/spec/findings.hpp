// Collects what the passes over one tree find, and gives it places at the end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spec/diagnostic.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// What a definition that is right, but ahead of this version, gets.
enum class Later : std::uint8_t {
  refuse,  // an error: it is about to be run
  warn,    // a warning: it is only looked at
};

class Findings {
 public:
  explicit Findings(const Tree& tree, Later later = Later::refuse) : tree_(tree), later_(later) {}

  // At the whole node.
  void error(NodeId node, std::string message, std::string suggestion = {});
  // At a part of it.
  void error(NodeId node, Span span, std::string message, std::string suggestion = {});
  // A field or variable that this version does nothing with yet, by its name; see Later.
  void unsupported(NodeId node, std::string_view name);
  // Does not make the definition wrong.
  void warning(NodeId node, std::string message, std::string suggestion = {});

  // The place in the source of bytes [offset, offset + length) of a scalar's text. Exact where the text
  // stands in the source as it is; in folded or escaped text the place of the same words, else the whole
  // scalar.
  Span inside(NodeId scalar, std::size_t offset, std::size_t length) const;

  // Errors, that is; warnings do not count.
  bool has_errors() const { return errors_ > 0; }
  // A hostile definition may have millions of errors: after kMost only a count is kept.
  bool full() const { return found_.size() >= kMost; }
  // In the order of the text, without repetitions.
  std::vector<Diagnostic> take(std::string_view file);

  static constexpr std::size_t kMost = 200;

 private:
  struct Finding {
    NodeId node;
    Span span;
    Severity severity;
    ErrorCode code;
    std::string message;
    std::string suggestion;
  };
  void add(Finding finding);

  const Tree& tree_;
  const Later later_;
  std::vector<Finding> found_;
  std::size_t errors_ = 0;
  std::size_t more_ = 0;
};

// Finds lines and columns. Places that are asked for in the order of the text cost one walk over it together.
class Places {
 public:
  explicit Places(std::string_view source) : source_(source) {}

  // Sets line, columns and source line.
  void set(Diagnostic& diagnostic, Span span);

 private:
  void walk_to(std::size_t offset);

  std::string_view source_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;  // of at_
};

// The same for one place.
void set_place(Diagnostic& diagnostic, std::string_view source, Span span);

}  // namespace baton::spec
