#include "spec/yaml_source.hpp"

#include <yaml.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>

namespace baton::spec {
namespace {

struct ParserDelete {
  void operator()(yaml_parser_t* parser) const {
    yaml_parser_delete(parser);
    delete parser;
  }
};
using Parser = std::unique_ptr<yaml_parser_t, ParserDelete>;

Parser parser_of(std::string_view text) {
  Parser parser(new yaml_parser_t);
  if (yaml_parser_initialize(parser.get()) == 0) throw std::bad_alloc();
  yaml_parser_set_encoding(parser.get(), YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(parser.get(), reinterpret_cast<const unsigned char*>(text.data()),
                               text.size());
  return parser;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
std::string_view trim_left(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}
std::string_view trim_right(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

// The text by lines, and by characters, which libyaml counts.
class Text {
 public:
  explicit Text(std::string_view text) : text_(text) {
    lines_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') lines_.push_back(i + 1);
      if (static_cast<unsigned char>(text[i]) >= 0x80) ascii_ = false;
    }
    if (ascii_) return;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80)
        characters_.push_back(static_cast<std::uint32_t>(i));
    }
  }

  std::string_view all() const { return text_; }
  std::size_t offset(const yaml_mark_t& mark) const {
    if (ascii_) return std::min(mark.index, text_.size());
    return mark.index < characters_.size() ? characters_[mark.index] : text_.size();
  }
  std::size_t line_of(std::size_t offset) const {
    return static_cast<std::size_t>(std::ranges::upper_bound(lines_, offset) - lines_.begin()) - 1;
  }
  int column_of(std::size_t offset) const { return static_cast<int>(offset - lines_[line_of(offset)]); }
  // On its line.
  std::size_t characters_before(std::size_t offset) const {
    const std::size_t begin = lines_[line_of(offset)];
    return static_cast<std::size_t>(std::ranges::count_if(text_.substr(begin, offset - begin), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
  }
  bool blank_before(std::size_t offset) const {
    const std::size_t line = line_of(offset);
    if (line == 0) return false;
    return trim_left(text_.substr(lines_[line - 1], lines_[line] - 1 - lines_[line - 1])).empty();
  }
  bool begins_line(std::size_t offset) const {
    const std::size_t begin = lines_[line_of(offset)];
    return trim_left(text_.substr(begin, offset - begin)).empty();
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> lines_;  // where each begins
  std::vector<std::uint32_t> characters_;
  bool ascii_ = true;
};

struct Found {
  std::size_t offset = 0;
  std::string text;
};

// A comment begins with a # that stands in no token.
class Comments {
 public:
  explicit Comments(const Text& text) : text_(text) {}

  // False if libyaml cannot read the text.
  bool find() {
    const Parser parser = parser_of(text_.all());
    std::size_t at = 0;
    for (bool more = true; more;) {
      yaml_token_t token{};
      if (yaml_parser_scan(parser.get(), &token) == 0) return false;
      more = token.type != YAML_STREAM_END_TOKEN;
      const std::size_t begin = std::max(at, text_.offset(token.start_mark));
      const std::size_t end = std::max(begin, text_.offset(token.end_mark));
      scan(at, begin);
      const bool block =
          token.type == YAML_SCALAR_TOKEN && (token.data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
                                              token.data.scalar.style == YAML_FOLDED_SCALAR_STYLE);
      if (block) scan(begin, std::min(end, text_.all().find('\n', begin)));  // the header
      if (token.type == YAML_VERSION_DIRECTIVE_TOKEN || token.type == YAML_TAG_DIRECTIVE_TOKEN) {
        directives_ += std::string(text_.all().substr(begin, end - begin)) + "\n";
      }
      at = end;
      yaml_token_delete(&token);
    }
    scan(at, text_.all().size());
    return true;
  }
  std::vector<Found> take() { return std::move(found_); }
  std::string directives() { return std::move(directives_); }

 private:
  void scan(std::size_t from, std::size_t to) {
    const std::string_view all = text_.all();
    for (std::size_t i = from; i < to; ++i) {
      if (all[i] != '#') continue;
      const std::size_t end = std::min(all.find('\n', i), all.size());
      found_.push_back({i, std::string(trim_right(all.substr(i, end - i)))});
      i = end;
    }
  }

  const Text& text_;
  std::vector<Found> found_;
  std::string directives_;
};

class Reader {
 public:
  Reader(const Text& text, std::vector<Found> comments)
      : text_(text), comments_(std::move(comments)), parser_(parser_of(text.all())) {}
  ~Reader() { yaml_event_delete(&event_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool read(YamlSource& out) {
    for (const Found& comment : comments_) out.comments.push_back(comment.text);
    do {
      if (!next()) return false;
    } while (event_.type == YAML_STREAM_START_EVENT || event_.type == YAML_DOCUMENT_START_EVENT);
    if (event_.type == YAML_STREAM_END_EVENT) {
      rest(out.root);
      return true;
    }
    SourceItem& root = out.root;
    // Above a block collection they belong to its first item.
    if (!is_block_collection()) {
      leading(root, start(), nullptr, -1);
      root.blank_before = false;
    }
    if (!node(root.value, -1)) return false;
    if (!is_collection(root.value) || root.value.flow) tail(root);
    rest(root);
    return true;
  }

 private:
  bool next() {
    yaml_event_delete(&event_);
    return yaml_parser_parse(parser_.get(), &event_) != 0;
  }
  std::size_t start() const { return text_.offset(event_.start_mark); }
  std::size_t end() const { return text_.offset(event_.end_mark); }

  bool is_block_collection() const {
    return (event_.type == YAML_MAPPING_START_EVENT &&
            event_.data.mapping_start.style != YAML_FLOW_MAPPING_STYLE) ||
           (event_.type == YAML_SEQUENCE_START_EVENT &&
            event_.data.sequence_start.style != YAML_FLOW_SEQUENCE_STYLE);
  }
  static bool is_collection(const SourceNode& node) {
    return node.kind == SourceNode::Kind::list || node.kind == SourceNode::Kind::map;
  }

  bool waits(std::size_t before) const { return at_ < comments_.size() && comments_[at_].offset < before; }
  Comment take() {
    Found& found = comments_[at_++];
    return {std::move(found.text), text_.blank_before(found.offset) && text_.begins_line(found.offset),
            text_.characters_before(found.offset)};
  }

  // The innermost open block collection to whose items a comment is indented; nullptr if there is none.
  static SourceNode* innermost(SourceNode& node, int column) {
    if (!is_collection(node) || node.flow || node.column > column) return nullptr;
    if (!node.items.empty()) {
      if (SourceNode* inner = innermost(node.items.back().value, column)) return inner;
    }
    return &node;
  }

  // The comments before `offset`. Those that are indented further than the item belong to the end of what
  // stands above it, until the first that is not.
  void leading(SourceItem& item, std::size_t offset, SourceNode* above, int column) {
    bool deeper = above != nullptr;
    while (waits(offset)) {
      const int own = text_.column_of(comments_[at_].offset);
      SourceNode* inner = deeper && own > column ? innermost(*above, own) : nullptr;
      deeper = inner != nullptr;
      (inner != nullptr ? inner->dangling : item.leading).push_back(take());
    }
    item.blank_before = text_.blank_before(offset) && text_.begins_line(offset);
  }

  // Comments between a key, or a dash, and its value.
  void head(SourceItem& item) {
    if (waits(start()) && !text_.begins_line(comments_[at_].offset)) item.head = take();
    if (is_block_collection()) return;  // on lines of their own they belong to its first item
    while (waits(start())) item.leading.push_back(take());
  }

  // The comment behind the value that has just been read.
  void tail(SourceItem& item) {
    if (at_ >= comments_.size()) return;
    const std::size_t offset = comments_[at_].offset;
    if (offset < last_end_) {  // in the header of a block scalar
      (item.head.text.empty() ? item.head : item.leading.emplace_back()) = take();
      return;
    }
    const std::string_view between = text_.all().substr(last_end_, offset - last_end_);
    if (between.find_first_not_of(" \t,") == std::string_view::npos && !text_.begins_line(offset)) {
      item.tail = take();
    }
  }

  void rest(SourceItem& root) {
    while (at_ < comments_.size()) {
      SourceNode* inner = innermost(root.value, text_.column_of(comments_[at_].offset));
      (inner != nullptr ? inner->dangling : root.value.dangling).push_back(take());
    }
  }

  static std::string_view view(const yaml_char_t* text) {
    return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
  }

  // "&anchor !!tag", and where the value behind them begins.
  std::string properties(std::size_t& at) const {
    std::string out;
    const std::string_view all = text_.all();
    // One of each at most: another one belongs to the first key.
    std::string seen;
    while (at < all.size() && (all[at] == '&' || all[at] == '!') && seen.find(all[at]) == std::string::npos) {
      seen += all[at];
      const std::size_t begin = at;
      at = std::min(all.find_first_of(" \t\n,[]{}", at), all.size());
      out += (out.empty() ? "" : " ") + std::string(all.substr(begin, at - begin));
      while (at < all.size()) {
        if (is_blank(all[at]) || all[at] == '\n') {
          ++at;
        } else if (all[at] == '#') {
          at = std::min(all.find('\n', at), all.size());
        } else {
          break;
        }
      }
    }
    return out;
  }

  // The event at hand and what belongs to it; afterwards the event at hand is its last.
  bool node(SourceNode& out, int parent_column) {
    switch (event_.type) {
      case YAML_ALIAS_EVENT:
        out.kind = SourceNode::Kind::alias;
        out.lines = {"*" + std::string(view(event_.data.alias.anchor))};
        last_end_ = end();
        return true;
      case YAML_SCALAR_EVENT:
        scalar(out, parent_column);
        return true;
      case YAML_SEQUENCE_START_EVENT:
      case YAML_MAPPING_START_EVENT:
        return collection(out);
      default:
        return false;
    }
  }

  void scalar(SourceNode& out, int parent_column) {
    const auto& data = event_.data.scalar;
    out.value.assign(reinterpret_cast<const char*>(data.value), data.length);
    std::size_t begin = start();
    const bool has_properties = data.anchor != nullptr || data.tag != nullptr;
    if (has_properties) out.properties = properties(begin);
    begin = std::min(begin, std::max(start(), end()));
    last_end_ = end();
    const std::string_view source = text_.all().substr(begin, last_end_ - begin);
    switch (data.style) {
      case YAML_LITERAL_SCALAR_STYLE:
        out.style = SourceNode::Style::literal;
        return block_lines(out, source, parent_column);
      case YAML_FOLDED_SCALAR_STYLE:
        out.style = SourceNode::Style::folded;
        return block_lines(out, source, parent_column);
      case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        out.style = SourceNode::Style::single_quoted;
        break;
      case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        out.style = SourceNode::Style::double_quoted;
        break;
      default:
        break;
    }
    std::size_t at = 0;
    while (at <= source.size()) {
      const std::size_t newline = std::min(source.find('\n', at), source.size());
      const std::string_view line = source.substr(at, newline - at);
      out.lines.emplace_back(out.lines.empty() ? line : trim_left(line));
      at = newline + 1;
    }
  }

  static void block_lines(SourceNode& out, std::string_view source, int parent_column) {
    std::size_t at = std::min(source.find('\n'), source.size());
    std::optional<std::size_t> indent;
    for (const char c : source.substr(1, std::min<std::size_t>(at, 3) - 1)) {
      if (c >= '1' && c <= '9') {
        indent = static_cast<std::size_t>(std::max(parent_column, 0)) + static_cast<std::size_t>(c - '0');
      }
    }
    while (at < source.size()) {
      const std::size_t begin = at + 1;
      at = std::min(source.find('\n', begin), source.size());
      const std::string_view line = source.substr(begin, at - begin);
      const std::size_t text = line.find_first_not_of(' ');
      if (!indent && text != std::string_view::npos) indent = text;
      out.lines.emplace_back(line.substr(std::min(line.size(), indent.value_or(line.size()))));
    }
    while (!out.lines.empty() && out.lines.back().empty()) out.lines.pop_back();
  }

  bool collection(SourceNode& out) {
    const bool map = event_.type == YAML_MAPPING_START_EVENT;
    out.kind = map ? SourceNode::Kind::map : SourceNode::Kind::list;
    out.flow = !is_block_collection();
    std::size_t begin = start();
    if (map ? event_.data.mapping_start.anchor != nullptr || event_.data.mapping_start.tag != nullptr
            : event_.data.sequence_start.anchor != nullptr || event_.data.sequence_start.tag != nullptr) {
      out.properties = properties(begin);
    }
    out.column = text_.column_of(begin);
    const auto stop = map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    if (!next()) return false;
    while (event_.type != stop) {
      SourceNode* above = out.flow || out.items.empty() ? nullptr : &out.items.back().value;
      SourceItem item;
      leading(item, item_start(map, out.flow), above, out.column);
      if (map) {
        if (!node(item.key, out.column)) return false;
        if (!next()) return false;
      }
      head(item);
      if (!node(item.value, out.column)) return false;
      if (!is_collection(item.value) || item.value.flow) tail(item);
      out.items.push_back(std::move(item));
      if (!next()) return false;
    }
    if (!out.flow) return true;
    last_end_ = end();
    while (waits(last_end_)) out.dangling.push_back(take());
    return true;
  }

  // Where the item begins whose first event is at hand: a list's at its dash.
  std::size_t item_start(bool map, bool flow) const {
    const std::size_t first = start();
    if (map || flow) return first;
    // Between the dash and its value there are only blanks, comments and empty lines.
    std::size_t dash = first;
    const std::string_view all = text_.all();
    for (std::size_t at = last_end_; at < first && at < all.size(); ++at) {
      if (all[at] == '#') {
        at = std::min(all.find('\n', at), all.size());
      } else if (all[at] == '-') {
        dash = at;
        break;
      }
    }
    return dash;
  }

  const Text& text_;
  std::vector<Found> comments_;
  std::size_t at_ = 0;
  Parser parser_;
  yaml_event_t event_{};
  std::size_t last_end_ = 0;  // of the last scalar, alias or flow collection
};

}  // namespace

std::expected<YamlSource, SyntaxError> read_yaml_source(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i, 3);
    const bool odd =
        rest[0] == '\r' || rest.starts_with("\xC2\x85") || rest == "\xE2\x80\xA8" || rest == "\xE2\x80\xA9";
    if (odd) {
      return std::unexpected(SyntaxError{{static_cast<std::uint32_t>(i), 1},
                                         "this line break is read in different ways by different programs",
                                         "end lines with LF"});
    }
  }
  const Text lines(text);
  Comments comments(lines);
  YamlSource source;
  if (!comments.find()) return std::unexpected(SyntaxError{{}, "the text is not YAML", {}});
  source.directives = comments.directives();
  if (!Reader(lines, comments.take()).read(source)) {
    return std::unexpected(SyntaxError{{}, "the text is not YAML", {}});
  }
  return source;
}

}  // namespace baton::spec
