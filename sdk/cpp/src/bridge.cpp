#include "bridge.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "base/text.hpp"
#include "embedded/owner.hpp"
#include "net/tls.hpp"
#include "net/url.hpp"

namespace baton::v0 {
namespace {

namespace json = boost::json;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// "" = no file is named.
baton::Result<std::string> key_of_file(const std::string& path) {
  std::string key;
  if (path.empty()) return key;
  std::ifstream file(path);
  if (!file)
    return baton::fail(baton::ErrorCode::bad_configuration,
                       "BATON_API_KEY_FILE: " + path + " cannot be read");
  std::getline(file, key);
  while (!key.empty() && (key.back() == '\r' || key.back() == ' ')) key.pop_back();
  if (key.empty()) {
    return baton::fail(baton::ErrorCode::bad_configuration,
                       "BATON_API_KEY_FILE: the first line of " + path + " is empty; it has to be the key");
  }
  return key;
}

std::string absolute(std::string path) {
  if (path.starts_with('/')) return path;
  char* folder = ::realpath(".", nullptr);
  if (folder == nullptr) return path;
  path = std::string(folder) + '/' + path;
  std::free(folder);
  return path;
}

bool is_socket(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode);
}

}  // namespace

Json json_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return {};
    case json::kind::bool_:
      return value.get_bool();
    case json::kind::int64:
      return value.get_int64();
    case json::kind::uint64:
      return value.get_uint64();
    case json::kind::double_:
      return value.get_double();
    case json::kind::string:
      return std::string_view(value.get_string());
    case json::kind::array: {
      Json::Array items;
      items.reserve(value.get_array().size());
      for (const json::value& item : value.get_array()) items.push_back(json_of(item));
      return items;
    }
    case json::kind::object: {
      JsonObject members;
      for (const auto& member : value.get_object()) members[member.key()] = json_of(member.value());
      return members;
    }
  }
  return {};
}

json::value boost_of(const Json& value) {
  if (const auto* text = value.if_string()) return json::value(std::string_view(*text));
  if (const auto* items = value.if_array()) {
    json::array array;
    array.reserve(items->size());
    for (const Json& item : *items) array.push_back(boost_of(item));
    return array;
  }
  if (const auto* members = value.if_object()) {
    json::object object;
    object.reserve(members->size());
    for (const auto& [name, member] : *members) object[name] = boost_of(member);
    return object;
  }
  if (value.is_bool()) return detail::bool_of(value);
  if (value.is_integer()) {
    if (value.text().starts_with('-')) return detail::integer_of(value);
    return detail::natural_of(value);
  }
  if (value.is_number()) return detail::number_of(value);
  return nullptr;
}

baton::Result<json::object> members_of(const Json& value, std::string_view what) {
  if (value.is_null()) return json::object();
  json::value made = boost_of(value);
  if (!made.is_object()) {
    return baton::fail(baton::ErrorCode::usage,
                       std::string(what) + " is " + std::string(value.kind()) + "; it has to be an object");
  }
  return std::move(made.get_object());
}

baton::Result<baton::client::Server> server_of(const ServerAddress& address) {
  std::string target = address.target;
  if (target.empty()) {
    target = environment("BATON_URL");
    if (!target.empty() && target.find("://") == std::string::npos) {
      return baton::fail(baton::ErrorCode::bad_configuration,
                         "BATON_URL is \"" + baton::printable(target) +
                             "\"; a URL begins with http:// or https:// (a socket is BATON_SOCKET, a data "
                             "directory BATON_DATA)");
    }
  }
  for (const char* name : {"BATON_SOCKET", "BATON_DATA"}) {
    if (target.empty()) target = environment(name);
  }
  if (target.empty()) target = baton::embedded::default_data_dir();
  baton::client::Server server;
  server.space = address.space.empty() ? environment("BATON_NAMESPACE") : address.space;
  if (target.find("://") != std::string::npos) {
    TRY(server.endpoint, baton::net::parse_endpoint(target));
    server.key = address.key.empty() ? environment("BATON_API_KEY") : address.key;
    if (server.key.empty()) {
      TRY(server.key, key_of_file(environment("BATON_API_KEY_FILE")));
    }
    if (server.endpoint.tls) {
      const std::string ca_file = address.ca_file.empty() ? environment("BATON_CA_FILE") : address.ca_file;
      TRY(server.tls, baton::net::TlsContext::client({.ca_file = ca_file}));
    }
    return server;
  }
  // A path that ends as a socket does is one, although it may not be there yet.
  target = absolute(std::move(target));
  server.endpoint.unix_socket = true;
  server.endpoint.path =
      target.ends_with(".sock") || is_socket(target) ? target : baton::embedded::socket_path_of(target);
  return server;
}

}  // namespace baton::v0
