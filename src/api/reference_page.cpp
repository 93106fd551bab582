// GET /api/v1/reference: openapi.yaml as a page for people. Without scripts: it is one page, so that a
// browser's own search finds everything.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <vector>

#include "api/handlers.hpp"
#include "api/openapi.hpp"
#include "api/page.hpp"
#include "base/markup.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;

constexpr int kDepth = 6;  // of objects within objects that are written out
constexpr std::string_view kPrefix = "/api/v1/";

std::string_view text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

const json::array* list(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr ? value->if_array() : nullptr;
}

const json::object* members(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr ? value->if_object() : nullptr;
}

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string code(std::string_view text) {
  return "<code>" + escape_markup(text) + "</code>";
}

// What stands between backticks is code.
std::string line_of(std::string_view words) {
  std::string out;
  for (bool inside = false; !words.empty(); inside = !inside) {
    const std::size_t end = std::min(words.find('`'), words.size());
    const std::string_view part = words.substr(0, end);
    out += inside ? code(part) : escape_markup(part);
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return out;
}

// Paragraphs are apart by an empty line.
std::string paragraphs(std::string_view words) {
  std::string out;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find("\n\n"), words.size());
    out += "<p>" + line_of(words.substr(0, end)) + "</p>\n";
    words.remove_prefix(std::min(end + 2, words.size()));
  }
  return out;
}

struct Operation {
  std::string method;  // upper case
  std::string path;
  const json::object* said = nullptr;
  const json::array* shared = nullptr;  // parameters of all operations of the path
};

// What belongs together: the first word of the path.
std::string group_of(std::string_view path) {
  if (!path.starts_with(kPrefix)) return "pages and health";
  path.remove_prefix(kPrefix.size());
  return std::string(path.substr(0, path.find('/')));
}

class Reference {
 public:
  explicit Reference(const json::object& document) : document_(document) {
    for (const auto& [path, item] : document.at("paths").as_object()) {
      for (const auto& [method, said] : item.as_object()) {
        if (!said.is_object()) continue;
        Operation operation{upper(method), std::string(path), &said.get_object(),
                            list(item.get_object(), "parameters")};
        const std::string name = group_of(path);
        auto group = std::ranges::find(groups_, name, &Group::name);
        if (group == groups_.end()) group = groups_.insert(groups_.end(), Group{name, {}});
        group->operations.push_back(std::move(operation));
      }
    }
  }

  std::string write() && {
    const json::object& info = document_.at("info").as_object();
    out_ = "<h1>Baton: the API</h1>\n" + paragraphs(text(info, "description")) +
           "<p>For programs: <a href=\"/api/v1/openapi.json\">openapi.json</a> (OpenAPI 3.1).</p>\n<nav>\n";
    for (const Group& group : groups_) {
      out_ += "<details><summary>" + escape_markup(group.name) + "</summary><ul>\n";
      for (const Operation& operation : group.operations) {
        out_ += "<li><a href=\"#" + escape_markup(text(*operation.said, "operationId")) + "\">" +
                escape_markup(operation.method + " " + operation.path) + "</a> " +
                line_of(text(*operation.said, "summary")) + "</li>\n";
      }
      out_ += "</ul></details>\n";
    }
    out_ += "</nav>\n";
    for (const Group& group : groups_) {
      out_ += "<h2>" + escape_markup(group.name) + "</h2>\n";
      for (const Operation& operation : group.operations) write(operation);
    }
    out_ += "<h2>Objects</h2>\n";
    for (const auto& [name, schema] : components().at("schemas").as_object()) {
      out_ += "<section id=\"schema-" + escape_markup(name) + "\">\n<h3>" + escape_markup(name) + "</h3>\n";
      write_schema(schema);
      out_ += "</section>\n";
    }
    return std::move(out_);
  }

 private:
  struct Group {
    std::string name;
    std::vector<Operation> operations;
  };

  const json::object& components() const { return document_.at("components").as_object(); }

  // What a reference into the components stands for.
  const json::object& meant(const json::object& object) const {
    constexpr std::string_view kHere = "#/components/";
    std::string_view path = text(object, "$ref");
    if (!path.starts_with(kHere)) return object;
    path.remove_prefix(kHere.size());
    const std::size_t slash = path.find('/');
    return components().at(path.substr(0, slash)).as_object().at(path.substr(slash + 1)).as_object();
  }

  void write(const Operation& operation) {
    const json::object& said = *operation.said;
    out_ += "<section id=\"" + escape_markup(text(said, "operationId")) + "\">\n<h3><b>" + operation.method +
            "</b> " + code(operation.path) + "</h3>\n<p>" + line_of(text(said, "summary")) + "</p>\n" +
            paragraphs(text(said, "description"));
    const std::string_view role = text(said, "x-role");
    out_ += "<p class=\"quiet\">";
    out_ += role.empty() ? "for anyone" : role == "any" ? "any key" : "role " + code(role);
    if (text(said, "x-scope") == "server") out_ += ", of all namespaces";
    out_ += "</p>\n";
    write_parameters(operation);
    if (const json::object* body = members(said, "requestBody")) {
      out_ += "<h4>Body</h4>\n";
      write_content(meant(*body));
    }
    if (const json::object* answers = members(said, "responses")) {
      out_ += "<h4>Answers</h4>\n<dl>\n";
      for (const auto& [status, answer] : *answers) {
        const json::object& one = meant(answer.as_object());
        out_ += "<dt>" + escape_markup(status) + "</dt><dd>" + line_of(text(one, "description")) + "\n";
        write_content(one);
        out_ += "</dd>\n";
      }
      out_ += "</dl>\n";
    }
    out_ += "</section>\n";
  }

  void write_parameters(const Operation& operation) {
    std::string rows;
    for (const json::array* parameters : {operation.shared, list(*operation.said, "parameters")}) {
      if (parameters == nullptr) continue;
      for (const json::value& value : *parameters) {
        const json::object& one = meant(value.as_object());
        const json::value* required = one.if_contains("required");
        rows += "<tr><td>" + code(text(one, "name")) + "</td><td>" + escape_markup(text(one, "in")) +
                (required != nullptr && required->as_bool() ? ", needed" : "") + "</td><td>" +
                type_of(one.at("schema").as_object()) + "</td><td>" + line_of(text(one, "description")) +
                "</td></tr>\n";
      }
    }
    if (rows.empty()) return;
    out_ +=
        "<table>\n<thead><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr></thead>\n<tbody>\n" +
        rows + "</tbody>\n</table>\n";
  }

  void write_content(const json::object& holder) {
    const json::object* content = members(holder, "content");
    if (content == nullptr) return;
    for (const auto& [media, said] : *content) {
      out_ += "<p class=\"quiet\">" + escape_markup(media) + "</p>\n";
      if (const json::value* schema = said.as_object().if_contains("schema")) write_schema(*schema);
    }
  }

  // A schema by itself: its type and, of an object that has no name, its members.
  void write_schema(const json::value& schema, int depth = 0) {
    if (!schema.is_object()) return;
    const json::object& object = schema.get_object();
    out_ += "<p>" + type_of(object);
    if (const std::string_view words = text(object, "description"); !words.empty())
      out_ += ": " + line_of(words);
    out_ += "</p>\n";
    write_members(object, depth);
  }

  // The members of what is written in place; what has a name is a link.
  void write_members(const json::object& schema, int depth) {
    if (depth > kDepth) return;
    for (const char* both : {"allOf", "oneOf", "anyOf"}) {
      if (const json::array* parts = list(schema, both)) {
        for (const json::value& part : *parts) write_members(part.as_object(), depth + 1);
      }
    }
    if (const json::object* items = members(schema, "items")) write_members(*items, depth + 1);
    if (const json::object* more = members(schema, "additionalProperties")) write_members(*more, depth + 1);
    const json::object* properties = members(schema, "properties");
    if (properties == nullptr) return;
    const json::array* required = list(schema, "required");
    out_ += "<table>\n<thead><tr><th>Member</th><th>Type</th><th></th></tr></thead>\n<tbody>\n";
    for (const auto& [name, value] : *properties) {
      const bool always = required != nullptr && std::ranges::any_of(*required, [&](const json::value& one) {
                            return one.as_string() == name;
                          });
      out_ += "<tr><td>" + code(name) + (always ? "" : "<span class=\"quiet\"> may be missing</span>") +
              "</td><td>";
      if (const json::object* object = value.if_object()) {
        out_ += type_of(*object) + "</td><td>" + line_of(text(*object, "description")) + "\n";
        write_members(*object, depth + 1);
      } else {
        out_ += "anything</td><td>";
      }
      out_ += "</td></tr>\n";
    }
    out_ += "</tbody>\n</table>\n";
  }

  std::string joined(const json::array& parts, std::string_view word) const {
    std::string out;
    for (const json::value& part : parts) {
      if (!out.empty()) out += word;
      out += part.is_object() ? type_of(part.get_object()) : escape_markup(plain(part));
    }
    return out;
  }

  static std::string plain(const json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
  }

  // One line: "string or null, at most 256 long, one of a, b".
  std::string type_of(const json::object& schema) const {
    const std::string_view path = text(schema, "$ref");
    if (!path.empty()) {
      const std::string name = escape_markup(path.substr(path.rfind('/') + 1));
      return "<a href=\"#schema-" + name + "\">" + name + "</a>";
    }
    std::string out;
    if (const json::value* type = schema.if_contains("type")) {
      out = type->is_array() ? joined(type->get_array(), " or ") : escape_markup(plain(*type));
    }
    for (const auto& [key, word] : {std::pair{"oneOf", " or "}, {"anyOf", " or "}, {"allOf", " and "}}) {
      const json::array* parts = list(schema, key);
      if (parts != nullptr) out += (out.empty() ? "" : ": ") + joined(*parts, word);
    }
    if (const json::object* items = members(schema, "items")) out += " of " + type_of(*items);
    if (const json::object* more = members(schema, "additionalProperties"))
      out += ", each member " + type_of(*more);
    if (out.empty()) out = "anything";
    if (const json::value* only = schema.if_contains("const")) out += ", always " + code(plain(*only));
    if (const json::array* words = list(schema, "enum")) out += ", one of " + joined(*words, ", ");
    for (const auto& [key, word] : {std::pair{"format", ""},
                                    {"minimum", "at least "},
                                    {"maximum", "at most "},
                                    {"minLength", "length at least "},
                                    {"maxLength", "length at most "},
                                    {"minItems", "items at least "},
                                    {"maxItems", "items at most "},
                                    {"pattern", "matches "},
                                    {"default", "without it "}}) {
      if (const json::value* value = schema.if_contains(key))
        out += ", " + std::string(word) + escape_markup(plain(*value));
    }
    return out;
  }

  const json::object& document_;
  std::vector<Group> groups_;
  std::string out_;
};

}  // namespace

void get_reference(const CorePtr&, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const auto document = read_openapi();
  if (!document) return call->fail(document.error());
  respond_page(
      *call, {.title = "Baton: the API", .content = Reference(document->as_object()).write(), .wide = true});
}

}  // namespace baton::api
