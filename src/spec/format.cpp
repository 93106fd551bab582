#include "spec/format.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "spec/read.hpp"
#include "spec/yaml_source.hpp"

namespace baton::spec {
namespace {

constexpr std::size_t kWidth = 120;  // of a line with [] or {}, in characters

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class Writer {
 public:
  std::string write(const YamlSource& source) {
    if (!source.directives.empty()) out_ = source.directives + "---\n";
    comments(source.root.leading, 0);
    const SourceNode& root = source.root.value;
    comments(without_place(source.root, false, 0), 0);
    if (is_block(root) || must_be_block(root, 0)) {
      if (!root.properties.empty()) out_ += root.properties + "\n";
      collection(root, 0);
    } else if (!source.comments.empty() || !root.value.empty() || !root.properties.empty() ||
               root.kind != SourceNode::Kind::scalar) {
      begin_line(0);
      inline_value(root, 0);
      end_line(source.root.head, source.root.tail);
      if (!root.flow) comments(root.dangling, 0);
    }
    return std::move(out_);
  }

 private:
  static bool is_collection(const SourceNode& node) {
    return node.kind == SourceNode::Kind::list || node.kind == SourceNode::Kind::map;
  }
  static bool is_block(const SourceNode& node) {
    return is_collection(node) && !node.flow && !node.items.empty();
  }
  static bool is_block_scalar(const SourceNode& node) {
    return node.kind == SourceNode::Kind::scalar &&
           (node.style == SourceNode::Style::literal || node.style == SourceNode::Style::folded);
  }

  // --- on one line ---

  static bool has_comments(const SourceNode& node) {
    if (!node.dangling.empty()) return true;
    return std::ranges::any_of(node.items, [](const SourceItem& item) {
      return !item.leading.empty() || !item.head.text.empty() || !item.tail.text.empty() ||
             has_comments(item.value);
    });
  }

  static void add(std::string& out, std::string_view word) {
    if (!out.empty() && !word.empty()) out += ' ';
    out += word;
  }

  // Nothing if it takes several lines.
  static std::optional<std::string> one_line(const SourceNode& node) {
    std::string out = node.properties;
    if (!is_collection(node)) {
      if (node.lines.size() > 1 || is_block_scalar(node)) return std::nullopt;
      if (!node.lines.empty()) add(out, node.lines[0]);
      return out;
    }
    if (!node.flow && !node.items.empty()) return std::nullopt;
    const bool map = node.kind == SourceNode::Kind::map;
    std::string inside;
    for (const SourceItem& item : node.items) {
      std::string part;
      if (map) {
        const auto key = one_line(item.key);
        if (!key) return std::nullopt;
        part = *key + ':';
      }
      const auto value = one_line(item.value);
      if (!value) return std::nullopt;
      if (map && value->empty() && part.size() > 1) part.pop_back();  // in {} a colon before a comma is text
      add(part, *value);
      inside += (inside.empty() ? "" : ", ") + part;
    }
    add(out, (map ? "{" : "[") + inside + (map ? "}" : "]"));
    return out;
  }

  // Whether a collection in [] or {} cannot stay so, when `column` characters stand before it.
  static bool must_be_block(const SourceNode& node, std::size_t column) {
    if (!is_collection(node) || !node.flow || node.items.empty()) return false;
    if (has_comments(node)) return true;
    const auto line = one_line(node);
    return !line || column + characters(*line) > kWidth;
  }

  // --- lines ---

  void begin_line(std::size_t indent) {
    out_.append(indent, ' ');
    empty_line_ = false;
  }
  std::size_t column() const {
    const std::size_t newline = out_.rfind('\n');
    return characters(std::string_view(out_).substr(newline == std::string::npos ? 0 : newline + 1));
  }
  // At most one of two comments can stand behind the value. It keeps its column where there is room: people
  // align them.
  void end_line(const Comment& head, const Comment& tail) {
    const Comment& comment = tail.text.empty() ? head : tail;
    if (!comment.text.empty()) {
      out_.append(std::max<std::size_t>(2, comment.column - std::min(comment.column, column())), ' ');
      out_ += comment.text;
    }
    out_ += '\n';
  }
  void blank_line() {
    if (!out_.empty() && !empty_line_ && !first_) out_ += '\n';
    empty_line_ = true;
  }
  void comments(const std::vector<Comment>& list, std::size_t indent) {
    for (const Comment& comment : list) {
      if (comment.blank_before) blank_line();
      begin_line(indent);
      out_ += comment.text + '\n';
      first_ = false;
    }
  }

  // --- values ---

  // A collection in block style; `out_` stands at the begin of a line, or behind a dash (`behind_dash`).
  void collection(const SourceNode& node, std::size_t indent, bool behind_dash = false) {
    const bool map = node.kind == SourceNode::Kind::map;
    first_ = true;
    for (const SourceItem& item : node.items) {
      const bool joined = std::exchange(behind_dash, false);
      if (!joined) {
        comments(item.leading, indent);
        if (item.blank_before) blank_line();
        comments(without_place(item, map, indent), indent);
        begin_line(indent);
      }
      first_ = false;
      if (map) {
        key(item.key);
      } else {
        out_ += '-';
      }
      const bool both =
          !item.head.text.empty() && !item.tail.text.empty() && !value_has_lines(item, map, indent);
      value(item, map, indent, both ? Comment{} : item.head);
    }
    first_ = false;
    comments(node.dangling, indent);
  }

  // Comments of an item for which its line has no room: inside of {} and [], and the first one if there is
  // one behind the key and one behind the value.
  std::vector<Comment> without_place(const SourceItem& item, bool map, std::size_t indent) const {
    std::vector<Comment> found;
    if (!item.head.text.empty() && !item.tail.text.empty() && !value_has_lines(item, map, indent))
      found.push_back(item.head);
    for (const SourceNode* node : {&item.key, &item.value}) {
      if (node->flow && node->items.empty())
        found.insert(found.end(), node->dangling.begin(), node->dangling.end());
    }
    return found;
  }

  bool value_has_lines(const SourceItem& item, bool map, std::size_t indent) const {
    const std::size_t column = indent + (map ? characters(one_line(item.key).value_or("")) + 2 : 2);
    return is_block(item.value) || must_be_block(item.value, column);
  }

  void key(const SourceNode& node) {
    if (const auto line = one_line(node)) {
      out_ += *line;
    } else {
      add_quoted(node);
    }
    // A colon directly behind an alias would be part of its name.
    if (node.kind == SourceNode::Kind::alias) out_ += ' ';
    out_ += ':';
  }

  // A key of several lines, as one line.
  void add_quoted(const SourceNode& node) {
    if (!node.properties.empty()) out_ += node.properties + ' ';
    out_ += '"';
    for (const char c : node.value) {
      if (c == '"' || c == '\\') {
        out_ += std::string("\\") + c;
      } else if (c == '\n') {
        out_ += "\\n";
      } else if (c == '\t') {
        out_ += "\\t";
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  void value(const SourceItem& item, bool map, std::size_t indent, const Comment& head) {
    const SourceNode& node = item.value;
    if (!is_block(node) && !must_be_block(node, column() + 1)) {
      if (node.kind != SourceNode::Kind::scalar || !node.lines.empty() || !node.properties.empty() ||
          is_block_scalar(node)) {
        if (!(node.lines.size() == 1 && node.lines[0].empty() && node.properties.empty() &&
              !is_block_scalar(node)))
          out_ += ' ';
      }
      inline_value(node, indent + 2, head, item.tail);
      return;
    }
    if (!node.properties.empty()) out_ += ' ' + node.properties;
    // `- name: x` begins the map behind the dash, if nothing has to stand before it.
    const bool joined =
        !map && node.properties.empty() && head.text.empty() && node.items.front().leading.empty() &&
        without_place(node.items.front(), node.kind == SourceNode::Kind::map, indent + 2).empty();
    if (joined) {
      out_ += ' ';
      collection(node, indent + 2, true);
    } else {
      end_line(head, {});
      collection(node, indent + 2);
    }
    // Behind the closing bracket that is no more.
    if (!item.tail.text.empty()) comments({item.tail}, indent + 2);
  }

  // A scalar, an alias or a collection on one line, and the end of its line; further lines stand at `indent`.
  void inline_value(const SourceNode& node, std::size_t indent, const Comment& head, const Comment& tail) {
    inline_value(node, indent, &head);
    if (!is_block_scalar(node)) end_line(head, tail);
  }

  void inline_value(const SourceNode& node, std::size_t indent, const Comment* head = nullptr) {
    if (is_block_scalar(node)) return block_scalar(node, indent, head == nullptr ? Comment{} : *head);
    if (const auto line = one_line(node)) {
      out_ += *line;
      return;
    }
    if (!node.properties.empty()) out_ += node.properties + ' ';
    for (std::size_t i = 0; i < node.lines.size(); ++i) {
      if (i > 0) {
        out_ += '\n';
        if (!node.lines[i].empty()) out_.append(indent, ' ');
      }
      out_ += node.lines[i];
    }
  }

  void block_scalar(const SourceNode& node, std::size_t indent, const Comment& head) {
    if (!node.properties.empty()) out_ += node.properties + ' ';
    out_ += node.style == SourceNode::Style::literal ? '|' : '>';
    // A blank at the begin of the first line would be taken for indentation.
    const auto first =
        std::ranges::find_if(node.lines, [](const std::string& line) { return !line.empty(); });
    if (first != node.lines.end() && first->front() == ' ') out_ += std::to_string(2);
    const std::size_t text = node.value.find_last_not_of('\n');
    const std::size_t newlines = node.value.size() - (text == std::string::npos ? 0 : text + 1);
    if (newlines == 0) out_ += '-';
    if (newlines > 1 || (newlines == 1 && text == std::string::npos)) out_ += '+';
    end_line(head, {});
    for (const std::string& line : node.lines) {
      if (!line.empty()) begin_line(indent);
      out_ += line + '\n';
    }
    const bool kept = newlines > 1 || (newlines == 1 && text == std::string::npos);
    for (std::size_t i = text == std::string::npos ? 0 : 1; i < newlines; ++i) out_ += '\n';
    empty_line_ = kept;  // one more would belong to the text
  }

  std::string out_;
  bool empty_line_ = false;  // the last line is empty, or must not be followed by an empty one
  bool first_ = true;        // nothing of the collection at hand has been written
};

bool same(const Tree& a, NodeId x, const Tree& b, NodeId y) {
  if (a[x].kind != b[y].kind || a.text(x) != b.text(y) || a.count(x) != b.count(y)) return false;
  if (a.is(x, NodeKind::list)) {
    auto other = b.items(y).begin();
    for (const NodeId item : a.items(x)) {
      if (!same(a, item, b, *other)) return false;
      ++other;
    }
  }
  if (a.is(x, NodeKind::map)) {
    auto other = b.members(y).begin();
    for (const Member m : a.members(x)) {
      if (a.text(m.key) != b.text((*other).key) || !same(a, m.value, b, (*other).value)) return false;
      ++other;
    }
  }
  return true;
}

std::string without_cr(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') out += text[i];
  }
  return out;
}

SyntaxError cannot(std::string why) {
  return {{}, "this cannot be laid out anew: " + std::move(why), "nothing was changed"};
}

}  // namespace

bool same_values(const Tree& a, const Tree& b) {
  if (a.root() == kNoNode || b.root() == kNoNode) return a.root() == b.root();
  return same(a, a.root(), b, b.root());
}

std::expected<std::string, SyntaxError> format_yaml(std::string_view original) {
  const std::string text = without_cr(original);
  const auto before = read_tree("x.yaml", text, {});
  if (!before) return std::unexpected(before.error());
  auto source = read_yaml_source(text);
  if (!source) return std::unexpected(source.error());
  std::string out = Writer().write(*source);

  const auto after = read_tree("x.yaml", out, {});
  if (!after) return std::unexpected(cannot("the result would not be YAML"));
  if (!same_values(*before, *after)) return std::unexpected(cannot("the result would mean something else"));
  auto again = read_yaml_source(out);
  if (!again) return std::unexpected(cannot("the result would not be YAML"));
  std::ranges::sort(source->comments);
  std::vector<std::string> kept = again->comments;
  std::ranges::sort(kept);
  if (kept != source->comments) return std::unexpected(cannot("a comment would be lost"));
  if (Writer().write(*again) != out) return std::unexpected(cannot("the result would have another layout"));
  return out;
}

}  // namespace baton::spec
