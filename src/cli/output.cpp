#include "cli/output.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>

#include "base/text.hpp"
#include "cli/text_width.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> kFormats = {"table", "json", "jsonl", "yaml"};

// As json::serialize, but with numbers as people write them: 0.5, not 5E-1.
std::string scalar(const json::value& value) {
  if (!value.is_double()) return json::serialize(value);
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value.get_double());
  std::string text(digits, end.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";  // stays what it was
  return text;
}

void compact(const json::value& value, std::string& out) {
  if (const auto* object = value.if_object()) {
    out += '{';
    for (const auto& [key, member] : *object) {
      if (&member != &object->begin()->value()) out += ',';
      out += json::serialize(json::string_view(key)) + ':';
      compact(member, out);
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    bool first = true;
    for (const json::value& item : *array) {
      if (!first) out += ',';
      first = false;
      compact(item, out);
    }
    out += ']';
  } else {
    out += scalar(value);
  }
}

void pretty(const json::value& value, std::size_t depth, std::string& out) {
  const auto newline = [&](std::size_t levels) {
    out += '\n';
    out.append(levels * 2, ' ');
  };
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    char separator = '{';
    for (const auto& [key, member] : *object) {
      out += separator;
      separator = ',';
      newline(depth + 1);
      out += json::serialize(json::string_view(key));
      out += ": ";
      pretty(member, depth + 1, out);
    }
    newline(depth);
    out += '}';
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    char separator = '[';
    for (const json::value& item : *array) {
      out += separator;
      separator = ',';
      newline(depth + 1);
      pretty(item, depth + 1, out);
    }
    newline(depth);
    out += ']';
  } else {
    out += scalar(value);
  }
}

// Whether YAML reads this plain scalar as the string that it is, in its version 1.1, too.
bool is_plain(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords = {"null", "true", "false", "yes", "no",
                                                      "on",   "off",  "y",     "n"};
  const auto is = [&](std::string_view word) {
    return std::ranges::equal(text, word,
                              [](char c, char w) { return (c >= 'A' && c <= 'Z' ? c | 32 : c) == w; });
  };
  if (text.empty() || std::ranges::any_of(kWords, is)) return false;
  const auto safe = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/' || c == ' ' || c == '+' || c == '(' || c == ')' || c == ';' ||
           c == '=';
  };
  const char first = text.front();
  const bool letter =
      (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '/' || first == '_';
  return letter && text.back() != ' ' && std::ranges::all_of(text, safe);
}

// Quoted, what YAML does not take for printable is escaped besides what JSON escapes: DEL, C1, the byte order
// mark.
std::string yaml_quoted(std::string_view text) {
  const std::string quoted = json::serialize(json::string_view(text));
  std::string out;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    const auto at = [&](std::size_t n) {
      return n < quoted.size() ? static_cast<unsigned char>(quoted[n]) : 0U;
    };
    if (at(i) == 0x7f) {
      out += "\\u007f";
    } else if (at(i) == 0xc2 && at(i + 1) < 0xa0) {
      constexpr std::string_view kHex = "0123456789abcdef";
      out += "\\u00";
      out += kHex[at(i + 1) >> 4];
      out += kHex[at(i + 1) & 15];
      ++i;
    } else if (quoted.compare(i, 3, "\xef\xbb\xbf") == 0) {
      out += "\\ufeff";
      i += 2;
    } else {
      out += quoted[i];
    }
  }
  return out;
}

std::string yaml_scalar(const json::value& value) {
  if (const auto* text = value.if_string()) return is_plain(*text) ? std::string(*text) : yaml_quoted(*text);
  std::string text = scalar(value);  // JSON's scalars, [] and {} are YAML's
  // A number without a point is none to readers of YAML 1.1: 1.0e+100.
  const std::size_t e = value.is_double() ? text.find('e') : std::string::npos;
  if (e != std::string::npos && text.find('.') == std::string::npos) text.insert(e, ".0");
  return text;
}

void yaml(const json::value& value, std::size_t depth, std::string& out) {
  const auto nested = [&](const json::value& member) {
    const bool block = (member.is_object() && !member.get_object().empty()) ||
                       (member.is_array() && !member.get_array().empty());
    if (block) {
      out += '\n';
      yaml(member, depth + 1, out);
    } else {
      out += ' ' + yaml_scalar(member) + '\n';
    }
  };
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    for (const auto& [key, member] : *object) {
      out.append(depth * 2, ' ');
      out += yaml_scalar(json::value(key)) + ':';
      nested(member);
    }
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    for (const json::value& item : *array) {
      out.append(depth * 2, ' ');
      out += '-';
      nested(item);
    }
  } else {
    out.append(depth * 2, ' ');
    out += yaml_scalar(value) + '\n';
  }
}

// Takes columns away where they are least missed until the row fits.
void shrink(std::vector<std::size_t>& widths, std::span<const Column> columns, std::size_t limit) {
  constexpr std::size_t kLeast = 8;
  std::size_t total = 2 * (widths.size() - 1);
  for (const std::size_t width : widths) total += width;
  for (int level = 9; level > 0 && total > limit; --level) {
    for (std::size_t i = 0; i < widths.size() && total > limit; ++i) {
      if (columns[i].shrink != level || widths[i] <= kLeast) continue;
      const std::size_t less = std::min(widths[i] - kLeast, total - limit);
      widths[i] -= less;
      total -= less;
    }
  }
}

}  // namespace

std::optional<Format> parse_format(std::string_view name) {
  const auto at = std::ranges::find(kFormats, name);
  if (at == kFormats.end()) return std::nullopt;
  return static_cast<Format>(at - kFormats.begin());
}

std::string_view name(Format format) {
  return kFormats[static_cast<std::size_t>(format)];
}

std::string to_json_line(const json::value& value) {
  std::string out;
  compact(value, out);
  out += '\n';
  return out;
}

std::string to_pretty_json(const json::value& value) {
  std::string out;
  pretty(value, 0, out);
  out += '\n';
  return out;
}

std::string to_yaml(const json::value& value) {
  std::string out;
  yaml(value, 0, out);
  return out;
}

std::string RunText::begin(const json::object& run) const {
  const json::value value(run);
  if (format_ == Format::json) {
    std::string text = "{\n  \"run\": ";
    pretty(value, 1, text);
    return text + ",\n  \"tasks\": [";
  }
  if (format_ == Format::yaml) {
    std::string text = "run:\n";
    yaml(value, 1, text);
    return text;
  }
  std::string text = "{\"run\":";
  compact(value, text);
  return text + ",\"tasks\":[";
}

std::string RunText::add(const json::object& task) {
  const json::value value(task);
  std::string text;
  if (format_ == Format::json) {
    text = empty_ ? "\n    " : ",\n    ";
    pretty(value, 2, text);
  } else if (format_ == Format::yaml) {
    text = empty_ ? "tasks:\n  -\n" : "  -\n";
    yaml(value, 2, text);
  } else {
    text = empty_ ? "" : ",";
    compact(value, text);
  }
  empty_ = false;
  return text;
}

std::string RunText::end() const {
  if (format_ == Format::json) return empty_ ? "]\n}\n" : "\n  ]\n}\n";
  if (format_ == Format::yaml) return empty_ ? "tasks: []\n" : "";
  return "]}\n";
}

std::string to_table(std::span<const json::object> rows, std::span<const Column> columns, const Style& style,
                     std::size_t width) {
  std::vector<std::size_t> widths;
  std::vector<std::vector<std::string>> cells;
  for (const Column& column : columns) widths.push_back(text_width(column.header));
  for (const json::object& row : rows) {
    auto& line = cells.emplace_back();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line.push_back(columns[i].text(row, style));
      widths[i] = std::max(widths[i], text_width(line.back()));
    }
  }
  if (width > 0) shrink(widths, columns, width);
  std::string out;
  const auto add_line = [&](const auto& cell) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) line += "  ";
      line += columns[i].right ? pad_left(cell(i), widths[i]) : pad(cell(i), widths[i]);
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  };
  add_line([&](std::size_t i) { return style.dim(columns[i].header); });
  for (const auto& line : cells) {
    add_line([&](std::size_t i) { return line[i]; });
  }
  return out;
}

void print_list(Console& console, Format format, std::vector<json::object> items, const std::string& next,
                std::span<const Column> columns) {
  if (format == Format::table) {
    const std::size_t width =
        console.out_is_terminal() ? static_cast<std::size_t>(console.size().columns) : 0;
    return console.out(to_table(items, columns, console.out_style(), width));
  }
  if (format == Format::jsonl) {
    for (const json::object& item : items) console.out(to_json_line(item));
    return;
  }
  json::object list;
  json::array& array = list["items"].emplace_array();
  for (json::object& item : items) array.emplace_back(std::move(item));
  list["next"] = next.empty() ? json::value() : json::value(next);
  console.out(format == Format::json ? to_pretty_json(list) : to_yaml(list));
}

void print_object(Console& console, Format format, const json::object& object,
                  const std::function<std::string(const Style&)>& people) {
  switch (format) {
    case Format::table:
      return console.out(people(console.out_style()));
    case Format::json:
      return console.out(to_pretty_json(object));
    case Format::jsonl:
      return console.out(to_json_line(object));
    case Format::yaml:
      return console.out(to_yaml(object));
  }
}

std::string text_of(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  if (value == nullptr || value->is_null()) return "";
  if (value->is_string()) return std::string(value->get_string());
  std::string text;
  compact(*value, text);
  return text;
}

std::string cell_of(const json::object& object, std::string_view field) {
  return one_line(text_of(object, field));
}

std::string times(const json::object& object, std::string_view field) {
  const std::string count = cell_of(object, field);
  return count + (count == "1" ? " time" : " times");
}

std::string one_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t end = text.find('\n');
  return printable(text.substr(0, end)) + (end == std::string_view::npos ? "" : " …");
}

double number_of(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  if (value == nullptr) return 0;
  if (value->is_int64()) return static_cast<double>(value->get_int64());
  if (value->is_uint64()) return static_cast<double>(value->get_uint64());
  return value->is_double() ? value->get_double() : 0;
}

std::int64_t whole_number_of(const json::object& object, std::string_view field) {
  constexpr double kLimit = 1LL << 53;
  const double number = number_of(object, field);
  return std::isnan(number) ? 0 : static_cast<std::int64_t>(std::clamp(number, -kLimit, kLimit));
}

const json::object* object_of(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value == nullptr ? nullptr : value->if_object();
}

}  // namespace baton::cli
