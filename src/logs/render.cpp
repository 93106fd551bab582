#include "logs/render.hpp"

#include "base/text.hpp"
#include "logs/reader.hpp"

namespace baton::logs {
namespace {

// As base's printable, but tabs stay.
void append_printable(std::string_view line, std::string& out) {
  for (;;) {
    const std::size_t tab = line.find('\t');
    out += printable(line.substr(0, tab));
    if (tab == std::string_view::npos) return;
    out += '\t';
    line.remove_prefix(tab + 1);
  }
}

// The first line of `text`, without its end, and how long it is with its end. A carriage return that redraws
// a line ends it, except in raw text.
struct Piece {
  std::string_view line;
  std::size_t size;
  bool ended;
};
Piece first_line(std::string_view text, bool raw) {
  const std::size_t end = raw ? text.find('\n') : text.find_first_of("\r\n");
  if (end == std::string_view::npos) return {text, text.size(), false};
  return {text.substr(0, end), end + (text.substr(end).starts_with("\r\n") ? 2 : 1), true};
}

}  // namespace

void Renderer::begin_line(const Frame& frame, std::string& out) {
  if (options_.timestamps) {
    out += to_rfc3339(frame.time);
    out += ' ';
  }
  if (options_.streams) {
    out += name(frame.stream);
    out += ' ';
  }
}

void Renderer::remark(const Frame& frame, const std::string& text, std::string& out) {
  if (in_line_) out += '\n';
  in_line_ = false;
  begin_line(frame, out);
  out += '[' + text + "]\n";
}

void Renderer::add(const Frame& frame, std::string& out) {
  if (frame.stream == Stream::gap)
    return remark(frame, std::to_string(frame.dropped) + " bytes dropped", out);
  if (frame.stream == Stream::note) return remark(frame, printable(frame.bytes), out);
  if (options_.only && frame.stream != *options_.only) return;
  if (in_line_ && frame.stream != last_) {
    out += '\n';
    in_line_ = false;
  }
  last_ = frame.stream;
  for (std::string_view rest = frame.bytes; !rest.empty();) {
    const Piece piece = first_line(rest, options_.raw);
    rest.remove_prefix(piece.size);
    if (!in_line_) begin_line(frame, out);
    if (options_.raw) {
      out += piece.line;
    } else {
      append_printable(piece.line, out);
    }
    in_line_ = !piece.ended;
    if (piece.ended) out += '\n';
  }
  if (frame.broken && in_line_) {
    out += '\n';
    in_line_ = false;
  }
}

Result<Part> read_part(const std::string& path, std::uint64_t offset, std::size_t max_bytes,
                       RenderOptions options) {
  auto reader = Reader::open(path);
  if (!reader) {
    if (reader.error().code == ErrorCode::not_found) return Part{{}, offset, true};
    return fail(std::move(reader).error());
  }
  reader->seek(offset);
  Renderer renderer(options);
  Part part;
  Frame frame;
  while (part.text.size() < max_bytes) {
    TRY(const bool more, reader->next(frame));
    if (!more) {
      part.at_end = true;
      break;
    }
    renderer.add(frame, part.text);
  }
  part.next = reader->offset();
  return part;
}

}  // namespace baton::logs
