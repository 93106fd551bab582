#include <yaml.h>

#include <memory>
#include <string>

#include "base/text.hpp"
#include "spec/read.hpp"
#include "spec/scalar.hpp"

namespace baton::spec {
namespace {

struct ParserDelete {
  void operator()(yaml_parser_t* parser) const {
    yaml_parser_delete(parser);
    delete parser;
  }
};

struct Event {
  yaml_event_t raw{};
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&raw); }
};

std::string_view view(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

class YamlReader {
 public:
  YamlReader(std::string_view text, const TreeLimits& limits)
      : text_(text), builder_(text, limits), parser_(new yaml_parser_t) {
    if (yaml_parser_initialize(parser_.get()) == 0) throw std::bad_alloc();
    yaml_parser_set_encoding(parser_.get(), YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser_.get(), reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }

  std::expected<Tree, SyntaxError> read() {
    bool more = true;
    while (more) {
      Event event;
      if (yaml_parser_parse(parser_.get(), &event.raw) == 0) {
        syntax_error();
        return std::unexpected(builder_.error());
      }
      if (!take(event.raw)) return std::unexpected(builder_.error());
      more = event.raw.type != YAML_STREAM_END_EVENT;
    }
    return builder_.take();
  }

 private:
  bool take(const yaml_event_t& event) {
    const Span span = span_of(event);
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (++documents_ > 1)
          return builder_.fail(span, "the file has a second document: one definition per file");
        return true;
      case YAML_SEQUENCE_START_EVENT:
        return tag(event.data.sequence_start.tag, "seq", span) &&
               anchor(event.data.sequence_start.anchor, span) && builder_.begin(NodeKind::list, span.offset);
      case YAML_MAPPING_START_EVENT:
        return tag(event.data.mapping_start.tag, "map", span) &&
               anchor(event.data.mapping_start.anchor, span) && builder_.begin(NodeKind::map, span.offset);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return builder_.end();
      case YAML_SCALAR_EVENT:
        return scalar(event, span);
      case YAML_ALIAS_EVENT:
        return builder_.alias(view(event.data.alias.anchor), span);
      default:
        return true;
    }
  }

  bool anchor(const yaml_char_t* name, Span span) {
    return name == nullptr || builder_.anchor(view(name), span);
  }

  // The tag of a collection may only repeat what it is anyway.
  bool tag(const yaml_char_t* raw, std::string_view core, Span span) {
    const std::string_view name = view(raw);
    if (name.empty() || name == "!" || name == kCore + std::string(core)) return true;
    return builder_.fail(span, "the tag " + printable(utf8_prefix(name, 60)) + " is not supported");
  }

  bool scalar(const yaml_event_t& event, Span span) {
    const auto& data = event.data.scalar;
    const std::string_view value(reinterpret_cast<const char*>(data.value), data.length);
    const bool plain = data.style == YAML_PLAIN_SCALAR_STYLE;
    const std::string_view name = view(data.tag);
    auto kind = plain && name != "!" ? plain_kind(value) : NodeKind::string;
    if (name == kCore + std::string("str")) {
      kind = NodeKind::string;
    } else if (!name.empty() && name != "!") {
      return builder_.fail(span, "the tag " + printable(utf8_prefix(name, 60)) + " is not supported");
    }
    if (!kind) return builder_.fail(span, kind.error());
    if (value.find('\0') != std::string_view::npos)
      return builder_.fail(span, "text must not hold the character NUL");
    if (!anchor(data.anchor, span)) return false;
    // Where the text stands in the source as it is, the tree shares it.
    std::string_view text = value;
    const std::size_t skip = plain ? 0 : 1;
    if (text_.substr(span.offset + skip, value.size()) == value && !value.empty()) {
      text = text_.substr(span.offset + skip, value.size());
    }
    return builder_.scalar(*kind, span, text,
                           !plain || *kind != plain_kind(value).value_or(NodeKind::string));
  }

  void syntax_error() {
    const yaml_parser_t& parser = *parser_;
    if (parser.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
    const std::uint32_t at =
        offset_of(parser.error == YAML_READER_ERROR ? parser.mark.index : parser.problem_mark.index);
    if (parser.error == YAML_READER_ERROR) {
      builder_.fail({static_cast<std::uint32_t>(std::min(parser.problem_offset, text_.size())), 1},
                    "this character is not allowed in YAML");
      return;
    }
    if (at < text_.size() && text_[at] == '\t') {
      builder_.fail({at, 1}, "a tab cannot be used here", "use spaces for indentation");
      return;
    }
    const std::string_view problem = parser.problem == nullptr ? "" : parser.problem;
    for (const Mistake& m : kMistakes) {
      if (!problem.starts_with(m.problem)) continue;
      builder_.fail({at, 1}, std::string(m.message), std::string(m.advice));
      return;
    }
    std::string message = "the text is not YAML: " + std::string(problem);
    if (parser.context != nullptr) message += " (" + std::string(parser.context) + ")";
    builder_.fail({at, 1}, std::move(message));
  }

  // libyaml's words for the mistakes that people make most, and ours.
  struct Mistake {
    std::string_view problem;
    std::string_view message;
    std::string_view advice;
  };
  static constexpr Mistake kMistakes[] = {
      {"mapping values are not allowed", "there is a `: ` where no value can begin",
       "put text that holds `: ` into quotes, or check the indentation"},
      {"found character that cannot start", "text cannot begin with this character",
       "put the text into quotes"},
      {"could not find expected ':'", "this looks like a key, but there is no `:` after it", ""},
      {"did not find expected key", "a key is expected here",
       "check the indentation of this line and the ones above"},
      {"did not find expected '-' indicator", "an item that begins with `- ` is expected here",
       "check the indentation of this line and the ones above"},
      {"did not find expected ',' or ']'", "`,` or `]` is expected here", ""},
      {"did not find expected ',' or '}'", "`,` or `}` is expected here", ""},
      {"found unexpected end of stream", "the text ends inside of a text in quotes", ""},
  };

  Span span_of(const yaml_event_t& event) {
    const std::uint32_t start = offset_of(event.start_mark.index);
    if (event.type != YAML_SCALAR_EVENT && event.type != YAML_ALIAS_EVENT) return {start, 1};
    return {start, offset_of(event.end_mark.index) - start};
  }

  // libyaml counts characters. Its marks grow nearly always, so that walking from the last one is cheap.
  std::uint32_t offset_of(std::size_t index) {
    const auto continues = [&](std::size_t at) {
      return (static_cast<unsigned char>(text_[at]) & 0xC0) == 0x80;
    };
    while (index_ < index && offset_ < text_.size()) {
      ++offset_;
      while (offset_ < text_.size() && continues(offset_)) ++offset_;
      ++index_;
    }
    while (index_ > index && offset_ > 0) {
      --offset_;
      while (offset_ > 0 && continues(offset_)) --offset_;
      --index_;
    }
    return static_cast<std::uint32_t>(offset_);
  }

  static constexpr const char* kCore = "tag:yaml.org,2002:";

  std::string_view text_;
  TreeBuilder builder_;
  std::unique_ptr<yaml_parser_t, ParserDelete> parser_;
  std::size_t offset_ = 0;  // in bytes, of the character number `index_`
  std::size_t index_ = 0;
  int documents_ = 0;
};

}  // namespace

std::expected<Tree, SyntaxError> read_yaml(std::string_view text, const TreeLimits& limits) {
  return YamlReader(text, limits).read();
}

}  // namespace baton::spec
