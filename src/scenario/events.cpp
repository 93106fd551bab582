#include "scenario/events.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "api/render.hpp"
#include "base/duration.hpp"
#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "base/text.hpp"

namespace baton::scenario {
namespace {

namespace json = boost::json;

std::string text_of(std::string_view key, const json::value& value) {
  if (const auto* text = value.if_string()) return printable(utf8_prefix(*text, 200));
  if (key == "delay" && value.is_number()) {
    if (const auto delay = duration_from_seconds(value.to_number<double>())) return to_string(*delay);
  }
  // Of an error its type says enough.
  if (const auto* error = value.if_object(); error != nullptr && error->contains("type")) {
    return text_of("type", error->at("type"));
  }
  return json::serialize(value);
}

// The details of an event are "key=value"; a pattern may leave out the key.
bool is_word(std::string_view expected, std::string_view actual) {
  if (expected == actual) return true;
  const std::size_t equals = actual.find('=');
  return equals != std::string_view::npos && actual.substr(equals + 1) == expected;
}

// Whether it did happen, at another time.
std::string note(EventPattern pattern, const std::vector<EventLine>& lines, std::size_t next) {
  if (!pattern.from) return "";
  pattern.from.reset();
  pattern.to.reset();
  const auto from = lines.begin() + static_cast<std::ptrdiff_t>(next);
  const auto found =
      std::find_if(from, lines.end(), [&](const EventLine& line) { return matches(pattern, line); });
  return found == lines.end() ? "" : "     (it happened at " + to_string(found->at) + ")";
}

constexpr std::size_t kContext = 8;  // lines around the place of a mismatch

std::string describe(const std::vector<EventPattern>& patterns, const std::vector<EventLine>& lines,
                     const std::vector<std::size_t>& found, bool exact) {
  const std::size_t met = found.size();
  const std::size_t next = met == 0 ? 0 : found.back() + 1;
  std::string out;
  const std::size_t from = next > kContext ? next - kContext : 0;
  if (from > 0) out += "      … " + std::to_string(from) + " earlier\n";
  for (std::size_t i = from; i < next; ++i) {
    const bool expected = std::ranges::find(found, i) != found.end();
    out += (expected ? "    ✓ " : "      ") + lines[i].text() + '\n';
  }
  if (met < patterns.size()) out += "    - " + patterns[met].text + note(patterns[met], lines, next) + '\n';
  const std::size_t to = std::min(lines.size(), next + 2 * kContext);
  for (std::size_t i = next; i < to; ++i) {
    out += (exact && i == next ? "    + " : "      ") + lines[i].text() + '\n';
  }
  if (to < lines.size()) out += "      … " + std::to_string(lines.size() - to) + " more\n";
  if (lines.empty()) out += "      (nothing happened)\n";
  return out;
}

}  // namespace

std::string EventLine::text() const {
  std::string out = to_string(at);
  out.resize(std::max<std::size_t>(out.size(), 6), ' ');
  for (const std::string& word : words) out += ' ' + word;
  return out;
}

EventLine Narrator::tell(Duration at, const model::Fact& fact) {
  api::JsonText out;
  api::write_fact(run_, fact, steps_.get(), out);
  const json::value parsed = parse_json(out.take(), {}, {.max_depth = kReadJsonDepth});
  const json::object& object = parsed.get_object();
  EventLine line{at, {}};
  line.words.emplace_back(object.at("type").as_string());
  if (const auto* step = object.if_contains("step"); step != nullptr && step->is_string()) {
    const auto* index = object.if_contains("index");
    const std::string item = index != nullptr ? '[' + json::serialize(*index) + ']' : "";
    std::string task(step->as_string());
    if (fact.kind == model::FactKind::task_added && fact.text != model::name(model::TaskRole::main))
      helpers_[fact.task] = task + '.' + fact.text + item;
    const auto helper = helpers_.find(fact.task);
    line.words.push_back(helper != helpers_.end() ? helper->second : task + item);
  }
  for (const auto& [key, value] : object) {
    const std::string_view name = key;
    if (value.is_null() || value == json::value("") || name == "type" || name == "at" || name == "task" ||
        name == "step" || name == "step_index" || name == "index") {
      continue;
    }
    line.words.push_back(std::string(name) + '=' + text_of(name, value));
  }
  return line;
}

bool matches(const EventPattern& pattern, const EventLine& line) {
  if (pattern.from && (line.at < *pattern.from || line.at > *pattern.to)) return false;
  if (pattern.words[0] != line.words[0]) return false;
  std::size_t at = 1;
  for (std::size_t i = 1; i < pattern.words.size(); ++i) {
    while (at < line.words.size() && !is_word(pattern.words[i], line.words[at])) ++at;
    if (at++ >= line.words.size()) return false;
  }
  return true;
}

std::optional<Mismatch> compare(const std::vector<EventPattern>& patterns,
                                const std::vector<EventLine>& lines, bool exact) {
  std::vector<std::size_t> found;  // the line of each pattern
  for (std::size_t i = 0; i < lines.size() && found.size() < patterns.size(); ++i) {
    if (matches(patterns[found.size()], lines[i])) {
      found.push_back(i);
    } else if (exact) {
      break;
    }
  }
  const bool all = found.size() == patterns.size();
  if (all && (!exact || found.size() == lines.size())) return std::nullopt;
  return Mismatch{found.size(), describe(patterns, lines, found, exact)};
}

}  // namespace baton::scenario
