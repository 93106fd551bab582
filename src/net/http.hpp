// The nouns of HTTP that server, client and their users share. Plain values; no socket and no library.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/url.hpp"

namespace baton::net {

// The methods that the server knows; any other is answered with 501.
enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options };

std::string_view to_string(Method method);                 // "GET"
std::optional<Method> method_from(std::string_view name);  // exact case, as HTTP wants it

// ASCII case-insensitive comparison, independent of the locale.
bool equals_ignoring_case(std::string_view a, std::string_view b);

// Header fields in order. Names compare case-insensitively.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  // The value of the first field of that name; valid until the next change.
  std::optional<std::string_view> find(std::string_view name) const;
  void add(std::string name, std::string value);
  // Replaces all fields of that name.
  void set(std::string name, std::string value);
  void remove(std::string_view name);
  void clear() { fields_.clear(); }

  bool empty() const { return fields_.empty(); }
  std::size_t size() const { return fields_.size(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

  // Whether the bytes can stand in a message: the name is a token, the value has no control character except
  // tab and neither begins nor ends with blanks.
  static bool is_valid_name(std::string_view name);
  static bool is_valid_value(std::string_view value);
  // All names and values are valid: writing them cannot start another field or message.
  bool valid() const;

 private:
  std::vector<Field> fields_;
};

// Who is at the other end of a connection to the server.
struct Peer {
  bool local = false;     // a Unix socket; then uid and pid are the kernel's word (SO_PEERCRED, at connect)
  std::uint32_t uid = 0;  // meaningful only if local
  std::int32_t pid = 0;   // meaningful only if local
  std::string address;    // "127.0.0.1:50312", "[::1]:50312", "unix"
};

// A request as the server hands it to its handler: complete and checked.
struct Request {
  Method method = Method::get;  // never `head`: see head_only
  bool head_only = false;       // the client sent HEAD; answer as to GET, the server leaves the body out
  std::string target;           // as received: "/api/v1/runs?limit=10"
  std::string path;             // decoded: "/api/v1/runs" (parse_target says what it cannot contain)
  QueryPairs query;             // decoded
  Headers headers;              // all of them, as received; trailers are dropped
  std::string body;
  Peer peer;
};

struct Response {
  int status = 200;
  Headers headers;  // Content-Length, Transfer-Encoding and Connection are the server's to write
  std::string body;
};

// "Not Found"; "Unknown" for codes without a registered phrase.
std::string_view reason_phrase(int status);

// application/problem+json (RFC 9457) with type "about:blank", title, status and detail.
Response problem(int status, std::string_view detail);

}  // namespace baton::net
