#include "cli/output.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "spec/read.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

const char* const kText = R"({"s":"a\"b\n","n":null,"t":true,"i":-3,"d":0.5,"w":2.0,"e":[],"o":{},
  "l":[1,[2,{"x":"y"}]],"m":{"k":{"z":"- no"}}})";

TEST(Output, PrettyJson) {
  EXPECT_EQ(to_pretty_json(json::parse(kText)), R"({
  "s": "a\"b\n",
  "n": null,
  "t": true,
  "i": -3,
  "d": 0.5,
  "w": 2.0,
  "e": [],
  "o": {},
  "l": [
    1,
    [
      2,
      {
        "x": "y"
      }
    ]
  ],
  "m": {
    "k": {
      "z": "- no"
    }
  }
}
)");
}

TEST(Output, JsonLine) {
  EXPECT_EQ(to_json_line(json::parse(kText)),
            R"({"s":"a\"b\n","n":null,"t":true,"i":-3,"d":0.5,"w":2.0,"e":[],"o":{},)"
            R"("l":[1,[2,{"x":"y"}]],"m":{"k":{"z":"- no"}}})"
            "\n");
}

TEST(Output, Yaml) {
  EXPECT_EQ(to_yaml(json::parse(kText)), R"(s: "a\"b\n"
"n": null
t: true
i: -3
d: 0.5
w: 2.0
e: []
o: {}
l:
  - 1
  -
    - 2
    -
      x: "y"
m:
  k:
    z: "- no"
)");
}

TEST(Output, YamlReadsBackAsTheSameJson) {
  json::object object;
  int n = 0;
  for (const char* text : {"",
                           " ",
                           "yes",
                           "no",
                           "true",
                           "null",
                           "~",
                           "1",
                           "1.5",
                           "0x10",
                           "a: b",
                           "a #b",
                           "- a",
                           "#",
                           "a:",
                           "'",
                           "\"",
                           "\\",
                           "\t",
                           "\n",
                           "é",
                           "[a]",
                           "{a}",
                           "a, b",
                           "%",
                           "@",
                           "`",
                           "!",
                           "&a",
                           "*a",
                           "| a",
                           "2026-11-21T01:46:00.123Z",
                           "plain words",
                           "trailing ",
                           "/a/path",
                           "a\x01z",
                           "---",
                           "..."}) {
    object["k" + std::to_string(n++)] = text;
    object[text] = n;
  }
  object["nested"] =
      json::array{json::array{}, json::object{}, json::array{1, "two"}, json::object{{"a", nullptr}}};
  const json::value value(object);
  const std::string yaml = to_yaml(value);
  const auto tree = spec::read_tree("x.yaml", yaml, {});
  ASSERT_TRUE(tree.has_value()) << tree.error().message << "\n" << yaml;
  EXPECT_EQ(tree->to_json(tree->root()), value) << yaml;
}

TEST(Output, YamlIsTheSameToReadersOfVersion1Point1) {
  for (const char* text : {"on", "OFF", "y", "N", "Yes", "nO", "True"})
    EXPECT_EQ(to_yaml(json::object{{text, text}}), '"' + std::string(text) + "\": \"" + text + "\"\n");
  EXPECT_EQ(to_yaml(json::object{{"x", "only"}}), "x: only\n");
  EXPECT_EQ(to_yaml(json::object{{"x", "\x7f\xc2\x85\xc2\xa0\xef\xbb\xbf"}}),
            "x: \"\\u007f\\u0085\xc2\xa0\\ufeff\"\n");
  EXPECT_EQ(to_yaml(json::object{{"x", 1e100}, {"z", 1.5e-7}}), "x: 1.0e+100\nz: 1.5e-07\n");
}

TEST(Output, ARunInPiecesIsTheSameTextAsTheWhole) {
  const json::object run{{"id", "r"}, {"input", json::object{{"a", 1}}}};
  const json::object task{{"id", "t"}, {"dependencies", json::array{"x", "y"}}};
  for (const std::size_t tasks : {0, 1, 3}) {
    json::object whole{{"run", run}, {"tasks", json::array()}};
    for (std::size_t i = 0; i < tasks; ++i) whole["tasks"].as_array().emplace_back(task);
    for (const Format format : {Format::json, Format::jsonl, Format::yaml}) {
      RunText text(format);
      std::string pieces = text.begin(run);
      for (std::size_t i = 0; i < tasks; ++i) pieces += text.add(task);
      pieces += text.end();
      EXPECT_EQ(pieces, format == Format::json    ? to_pretty_json(whole)
                        : format == Format::jsonl ? to_json_line(whole)
                                                  : to_yaml(whole));
    }
  }
}

Column column(const char* field, int shrink = 0, bool right = false) {
  return {field, [field](const json::object& row, const Style&) { return cell_of(row, field); }, right,
          shrink};
}

TEST(Output, Table) {
  const std::vector<json::object> rows = {{{"name", "short"}, {"n", 7}, {"text", "one"}},
                                          {{"name", "a longer name"}, {"n", 1234}, {"text", "two\nlines"}}};
  const std::vector<Column> columns = {column("name"), column("n", 0, true), column("text")};
  EXPECT_EQ(to_table(rows, columns, {}, 0),
            "name              n  text\n"
            "short             7  one\n"
            "a longer name  1234  two …\n");
}

TEST(Output, ATableOfATerminalsWidth) {
  const std::vector<json::object> rows = {
      {{"id", "0123456789"}, {"a", "aaaaaaaaaaaaaaaaaaaa"}, {"b", "bbbbbbbbbbbbbbbbbbbb"}}};
  const std::vector<Column> columns = {column("id"), column("a", 1), column("b", 9)};
  EXPECT_EQ(to_table(rows, columns, {}, 44),
            "id          a                     b\n"
            "0123456789  aaaaaaaaaaaaaaaaaaaa  bbbbbbbbb…\n")
      << "the column that is least missed is cut first";
  EXPECT_EQ(to_table(rows, columns, {}, 30),
            "id          a         b\n"
            "0123456789  aaaaaaa…  bbbbbbb…\n");
}

TEST(Output, CellsCannotSteerTheTerminal) {
  EXPECT_EQ(cell_of({{"x", "a\x1b[2Jb\r\nc"}}, "x").find('\x1b'), std::string::npos);
  EXPECT_EQ(cell_of({{"x", nullptr}}, "x"), "");
  EXPECT_EQ(cell_of({}, "x"), "");
  EXPECT_EQ(cell_of({{"x", json::array{1, 0.5}}}, "x"), "[1,0.5]");
}

TEST(Output, Formats) {
  for (const Format format : {Format::table, Format::json, Format::jsonl, Format::yaml}) {
    EXPECT_EQ(parse_format(name(format)), format);
  }
  EXPECT_EQ(parse_format("JSON"), std::nullopt);
}

}  // namespace
}  // namespace baton::cli
