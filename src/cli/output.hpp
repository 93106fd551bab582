// Data in the four forms of --output.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/console.hpp"

namespace baton::cli {

enum class Format { table, json, jsonl, yaml };
std::optional<Format> parse_format(std::string_view name);
std::string_view name(Format format);

// On one line, which ends with a newline.
std::string to_json_line(const boost::json::value& value);
// Indented by two blanks; ends with a newline. Stable: members keep their order.
std::string to_pretty_json(const boost::json::value& value);
// YAML 1.2 in block style that reads back as the same JSON.
std::string to_yaml(const boost::json::value& value);

// The object {"run": …, "tasks": […]} of a run, piece by piece: a run may have a quarter of a million tasks.
// The pieces make the same text as the whole object would.
class RunText {
 public:
  explicit RunText(Format format) : format_(format) {}  // not for Format::table
  std::string begin(const boost::json::object& run) const;
  std::string add(const boost::json::object& task);
  std::string end() const;

 private:
  Format format_;
  bool empty_ = true;
};

struct Column {
  std::string header;
  std::function<std::string(const boost::json::object&, const Style&)> text;
  bool right = false;
  // 0: never cut. Otherwise columns with the highest number are cut first when the terminal is too narrow.
  int shrink = 0;
};

// A table without lines: headers, then rows, each column as wide as it needs to be. `width`: of the terminal;
// 0 = no limit.
std::string to_table(std::span<const boost::json::object> rows, std::span<const Column> columns,
                     const Style& style, std::size_t width);

// A list of the API. In jsonl each item is a line, in json and yaml it is {"items", "next"}.
void print_list(Console& console, Format format, std::vector<boost::json::object> items,
                const std::string& next, std::span<const Column> columns);
// One object; `people` makes the text for Format::table.
void print_object(Console& console, Format format, const boost::json::object& object,
                  const std::function<std::string(const Style&)>& people);

// Fields of the API's objects as text; "" for null and for what is missing. As it is: not for a terminal.
std::string text_of(const boost::json::object& object, std::string_view field);
// For a terminal: one line, nothing in it steers.
std::string cell_of(const boost::json::object& object, std::string_view field);
std::string one_line(std::string_view text);
// "1 time", "3 times".
std::string times(const boost::json::object& object, std::string_view field);
double number_of(const boost::json::object& object, std::string_view field);  // 0 if there is none
// The nearest whole number of that size, whatever a server of another version wrote; 0 if there is none.
std::int64_t whole_number_of(const boost::json::object& object, std::string_view field);
const boost::json::object* object_of(const boost::json::object& object, std::string_view field);

}  // namespace baton::cli
