// What the parts of the reader share: the tree, what was found wrong, and the forms of values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "scenario/scenario.hpp"
#include "scenario/words.hpp"
#include "spec/findings.hpp"
#include "spec/tree.hpp"

namespace baton::scenario {

class Reader {
 public:
  Reader(const spec::Tree& tree_in, std::string file_in)
      : tree(tree_in), file(std::move(file_in)), findings(tree_in), places_(tree_in.source()) {}

  const spec::Tree& tree;
  const std::string file;
  spec::Findings findings;

  Place place(spec::NodeId node);
  // The node's text, made fit for a message.
  std::string shown(spec::NodeId node) const;
  void wrong(spec::NodeId node, std::string_view what, std::string_view expected);

  // Reports members with other names. `what`: "a scenario". False: it is no map.
  bool check_words(spec::NodeId map, std::span<const Word> words, std::string_view what);
  std::optional<spec::NodeId> member(spec::NodeId map, std::string_view name) const;

  // Reported, and nothing, if the value has another form. `what` names the field.
  std::optional<std::string> text(spec::NodeId node, std::string_view what);
  std::optional<std::int64_t> integer(spec::NodeId node, std::string_view what, std::int64_t least,
                                      std::int64_t most);
  std::optional<bool> boolean(spec::NodeId node, std::string_view what);
  std::optional<Duration> duration(spec::NodeId node, std::string_view what);
  std::vector<std::string> names(spec::NodeId node, std::string_view what);  // those that are

 private:
  spec::Places places_;
};

Mocks read_mocks(Reader& reader, spec::NodeId node);
// One entry of them, as JSON. invalid_request: it is none; the message says what is wrong.
Result<Mock> read_mock(std::string_view json);
Expectation read_expectation(Reader& reader, spec::NodeId node, std::string run);
// `expect:` with the other runs that it names.
std::vector<Expectation> read_expectations(Reader& reader, spec::NodeId node);

// "3s attempt.ended fetch 1"; nullopt: there is no word in it.
std::optional<EventPattern> read_pattern(std::string_view text);
// "3s", "3s..5s".
struct TimeRange {
  Duration from;
  Duration to;
};
std::optional<TimeRange> read_range(std::string_view text);

}  // namespace baton::scenario
