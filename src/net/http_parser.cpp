#include "net/http_parser.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>

#include "net/body_decoder.hpp"

namespace baton::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastString = boost::beast::string_view;

// A declared length is believed up to here before the bytes arrive.
constexpr std::uint64_t kReserveLimit = 256 * 1024;

std::string_view view(BeastString s) {
  return {s.data(), s.size()};
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Collects what Beast's parser finds in a head. Told to skip the body, it ends there.
template <bool is_request>
class Collector final : public http::basic_parser<is_request> {
 public:
  Collector(MessageHead& head, ParserFailure& failure) : head_(head), failure_(failure) {
    this->eager(true);
    this->skip(true);
  }

 private:
  void refuse(error_code& ec, int status, std::string detail) {
    failure_ = {status, std::move(detail)};
    ec = http::error::bad_field;
  }

  void on_request_impl(http::verb, BeastString method, BeastString target, int version,
                       error_code&) override {
    head_.method = view(method);
    head_.target = view(target);
    head_.minor_version = version - 10;
  }

  void on_response_impl(int code, BeastString, int version, error_code&) override {
    head_.status = code;
    head_.minor_version = version - 10;
  }

  void on_field_impl(http::field name, BeastString text, BeastString value, error_code& ec) override {
    if (head_.headers.size() == kMaxFields)
      return refuse(ec, 431, "the request has more than 128 header fields");
    switch (name) {
      case http::field::content_length:
        if (!all_digits(view(value))) return refuse(ec, 400, "Content-Length must be one decimal number");
        break;
      case http::field::transfer_encoding:
        if (!equals_ignoring_case(view(value), "chunked")) {
          return refuse(ec, 501, "the only transfer coding that is understood is \"chunked\"");
        }
        if (head_.minor_version == 0) {
          return refuse(ec, 400, "HTTP/1.0 has no Transfer-Encoding");
        }
        break;
      case http::field::expect:
        if (!equals_ignoring_case(view(value), "100-continue")) {
          return refuse(ec, 417, "the only expectation that is understood is \"100-continue\"");
        }
        head_.expect_continue = head_.minor_version == 1;
        break;
      default:
        break;
    }
    if (is_singleton(name) && head_.headers.find(view(text))) {
      return refuse(ec, 400, "the field " + std::string(view(text)) + " stands more than once");
    }
    head_.headers.add(std::string(view(text)), std::string(view(value)));
  }

  // Fields whose repetition lets two readers pick different ones.
  static bool is_singleton(http::field name) {
    if (name == http::field::content_length || name == http::field::transfer_encoding) return true;
    return is_request &&
           (name == http::field::host || name == http::field::authorization ||
            name == http::field::content_type || name == http::field::expect || name == http::field::origin);
  }

  void on_header_impl(error_code& ec) override {
    head_.keep_alive = this->keep_alive();
    head_.chunked = this->chunked();
    if constexpr (is_request) {
      if (head_.minor_version == 1 && !head_.headers.find("Host")) {
        refuse(ec, 400, "the field Host is missing");
      }
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(BeastString data, error_code&) override { return data.size(); }
  void on_chunk_header_impl(std::uint64_t, BeastString, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastString data, error_code&) override {
    return data.size();
  }
  void on_finish_impl(error_code&) override {}

  static constexpr std::size_t kMaxFields = 128;

  MessageHead& head_;
  ParserFailure& failure_;
};

}  // namespace

struct HttpParser::Impl {
  Kind kind;
  ParserLimits limits;
  MessageHead head;
  std::string body;
  ParserFailure failure;
  std::size_t scanned = 0;  // bytes of an unfinished head that were searched for its end
  bool started = false;
  bool head_done = false;
  bool skip_body = false;
  BodyDecoder decoder;
  std::optional<Collector<true>> request;
  std::optional<Collector<false>> response;

  template <typename F>
  decltype(auto) parser(F&& f) {
    return kind == Kind::request ? f(*request) : f(*response);
  }

  void reset() {
    head = {};
    body.clear();
    failure = {};
    scanned = 0;
    started = false;
    head_done = false;
    const auto prepare = [&](auto& slot) {
      slot.emplace(head, failure);
      slot->header_limit(static_cast<std::uint32_t>(limits.header + 1));
    };
    if (kind == Kind::request) {
      prepare(request);
    } else {
      prepare(response);
    }
  }

  void refuse(int status, std::string detail) { failure = {status, std::move(detail)}; }

  void refuse(const error_code& ec) {
    if (failure.status != 0) return;  // said more exactly by the collector
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow) {
      refuse(431, "the header is larger than " + std::to_string(limits.header) + " bytes");
    } else if (ec == http::error::bad_version) {
      refuse(400, "the start line is malformed or not of HTTP/1.0 or HTTP/1.1");
    } else {
      refuse(400, "malformed HTTP message: " + ec.message());
    }
  }

  // The head as one piece of `input`, or 0 while its end is not there yet.
  std::size_t head_size(std::string_view input) {
    const auto from = scanned > 3 ? scanned - 3 : 0;
    const auto end = input.find("\r\n\r\n", from);
    scanned = input.size();
    const auto size = end == input.npos ? 0 : end + 4;
    if (kind == Kind::request) check_target(input.substr(0, input.find("\r\n")));
    if (failure.status == 0 && (size > limits.header || (size == 0 && input.size() >= limits.header))) {
      refuse(431, "the header is larger than " + std::to_string(limits.header) + " bytes");
    }
    if (failure.status == 0 && size == 0 && input.find('\n') != input.npos) check_lines(input);
    return failure.status == 0 ? size : 0;
  }

  void check_target(std::string_view line) {
    const auto start = line.find(' ');
    if (start == line.npos) return;
    const auto end = std::min(line.find(' ', start + 1), line.size());
    if (end - start - 1 > limits.target) {
      refuse(414, "the request target is longer than " + std::to_string(limits.target) + " bytes");
    }
  }

  // Line ends that Beast would join (folding) or that never become a head (a bare LF would wait for ever).
  void check_lines(std::string_view text) {
    for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
      if (at == 0 || text[at - 1] != '\r') return refuse(400, "a line does not end with CR LF");
      if (at + 1 < text.size() && (text[at + 1] == ' ' || text[at + 1] == '\t')) {
        return refuse(400, "folded header lines are not accepted");
      }
    }
  }

  std::size_t feed_head(std::string_view input) {
    const auto size = head_size(input);
    if (size == 0) return 0;
    const auto text = input.substr(0, size);
    check_lines(text);
    if (failure.status != 0) return 0;
    error_code ec;
    parser([&](auto& p) {
      p.put(boost::asio::const_buffer(text.data(), size), ec);
      if (!ec && !p.is_done()) ec = http::error::bad_field;
      if (!ec) start_body(p.content_length());
    });
    if (ec) refuse(ec);
    return size;
  }

  void start_body(boost::optional<std::uint64_t> length) {
    using Framing = BodyDecoder::Framing;
    head_done = true;
    const bool bodiless = skip_body || head.status / 100 == 1 || head.status == 204 || head.status == 304;
    const auto framing = bodiless                 ? Framing::none
                         : head.chunked           ? Framing::chunked
                         : length                 ? Framing::length
                         : kind == Kind::response ? Framing::until_end
                                                  : Framing::none;
    if (framing == Framing::until_end) head.keep_alive = false;
    decoder.start(framing, length.value_or(0), limits.body);
    if (framing == Framing::length) {
      body.reserve(static_cast<std::size_t>(std::min(*length, std::min(limits.body, kReserveLimit))));
    }
    check_body();
  }

  void check_body() {
    if (decoder.state() == BodyDecoder::State::too_large) {
      refuse(413, "the body is larger than " + std::to_string(limits.body) + " bytes");
    } else if (decoder.state() == BodyDecoder::State::malformed) {
      refuse(400, "the body is cut short or its chunked coding is malformed");
    }
  }
};

HttpParser::HttpParser(Kind kind, ParserLimits limits) : impl_(std::make_unique<Impl>()) {
  impl_->kind = kind;
  impl_->limits = limits;
  impl_->reset();
}
HttpParser::~HttpParser() = default;
HttpParser::HttpParser(HttpParser&&) noexcept = default;
HttpParser& HttpParser::operator=(HttpParser&&) noexcept = default;

std::size_t HttpParser::feed(std::string_view input) {
  if (input.empty() || failed() || done()) return 0;
  std::size_t skipped = 0;
  if (!impl_->started && impl_->kind == Kind::request) {
    // RFC 9112 §2.2: empty lines before a request are ignored; old clients send one after a body.
    while (input.substr(skipped).starts_with("\r\n")) skipped += 2;
    input.remove_prefix(skipped);
    if (input.empty() || input == "\r") return skipped;
    // Speaks another protocol (TLS, say): tell at once instead of waiting for the end of a head.
    if (!Headers::is_valid_name(input.substr(0, 1))) {
      impl_->refuse(400, "this is not an HTTP request");
      return skipped;
    }
  }
  impl_->started = true;
  if (!impl_->head_done) return skipped + impl_->feed_head(input);
  const auto taken = impl_->decoder.feed(input, impl_->body);
  impl_->check_body();
  return taken;
}

void HttpParser::feed_end() {
  if (failed() || done()) return;
  if (!header_done()) return impl_->refuse(400, "the connection ended inside a message");
  impl_->decoder.feed_end();
  impl_->check_body();
}

bool HttpParser::started() const {
  return impl_->started;
}
bool HttpParser::header_done() const {
  return impl_->head_done;
}
bool HttpParser::done() const {
  return !failed() && impl_->head_done && impl_->decoder.state() == BodyDecoder::State::done;
}
bool HttpParser::failed() const {
  return impl_->failure.status != 0;
}
const ParserFailure& HttpParser::failure() const {
  return impl_->failure;
}
MessageHead& HttpParser::head() {
  return impl_->head;
}
std::string& HttpParser::body() {
  return impl_->body;
}
bool HttpParser::expects_more() const {
  return header_done() && !done() && !failed();
}
void HttpParser::reset(bool skip_body) {
  impl_->skip_body = skip_body;
  impl_->reset();
}

}  // namespace baton::net
