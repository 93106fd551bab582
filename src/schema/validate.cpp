#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "base/text.hpp"
#include "schema/normal.hpp"
#include "schema/program.hpp"
#include "schema/schema.hpp"

namespace baton::schema {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMaxSteps = 10'000'000;
constexpr std::size_t kMaxNesting = 512;  // of schemas applied to one another without end, as {"$ref": "#"}

std::uint8_t types_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return kNull;
    case json::kind::bool_:
      return kBoolean;
    case json::kind::int64:
    case json::kind::uint64:
      return kInteger | kNumber;
    case json::kind::double_:
      return is_integral(value) ? kInteger | kNumber : kNumber;
    case json::kind::string:
      return kString;
    case json::kind::array:
      return kArray;
    case json::kind::object:
      return kObject;
  }
  return 0;
}

std::string describe(std::uint8_t types) {
  constexpr std::pair<Type, std::string_view> kWords[] = {
      {kNull, "null"},       {kBoolean, "a boolean"}, {kInteger, "an integer"}, {kNumber, "a number"},
      {kString, "a string"}, {kArray, "a list"},      {kObject, "a map"}};
  std::string out;
  for (const auto& [type, word] : kWords) {
    if ((types & type) == 0) continue;
    if (!out.empty()) out += " or ";
    out += word;
  }
  return out;
}

// For messages: a scalar as it is, cut; "a list", "a map".
std::string shown(const json::value& value) {
  if (value.is_array()) return "a list";
  if (value.is_object()) return "a map";
  std::string text;
  if (const double* real = value.if_double()) {
    std::array<char, 64> digits;
    text.assign(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), *real).ptr);
  } else {
    text = json::serialize(value);
  }
  const std::string_view cut = utf8_prefix(text, 80);
  return printable(cut) + (cut.size() < text.size() ? "…" : "");
}

std::uint64_t characters(std::string_view text) {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class Validator {
 public:
  Validator(const Program& program, std::size_t limit) : program_(program), limit_(limit) {}

  Problems run(const json::value& value) {
    if (!is_within_depth(value, kMaxDepth)) return {{"", "the value is nested deeper than 256 levels"}};
    check(0, value);
    if (steps_ > kMaxSteps) problems_ = {{"", "the check takes too many steps"}};
    return std::move(problems_);
  }

 private:
  void problem(std::string message) {
    failed_ = true;
    if (problems_.size() < limit_ && !quiet_) problems_.push_back({pointer_, std::move(message)});
  }

  void check(NodeIndex index, const json::value& value) {
    if (++steps_ > kMaxSteps) {
      failed_ = true;
      return;
    }
    if (nesting_ >= kMaxNesting) return problem("the schema refers to itself without end");
    ++nesting_;
    const Node& n = program_.nodes[index];
    if (n.never) {
      problem("is not allowed");
    } else {
      apply(n, value);
    }
    --nesting_;
  }

  void apply(const Node& n, const json::value& value) {
    if (n.types != 0 && (n.types & types_of(value)) == 0) {
      problem("must be " + describe(n.types) + ", not " + shown(value));
      return;  // the other rules would only repeat it
    }
    if (n.allowed) {
      steps_ += 1;
      if (!n.allowed->contains(normal_text(value)))
        problem("must be " + n.allowed_text + ", not " + shown(value));
    }
    if (value.is_number()) number(n, value);
    if (value.is_string()) string(n, value.get_string());
    if (value.is_array()) array(n, value.get_array());
    if (value.is_object()) object(n, value.get_object());
    for (const NodeIndex sub : n.all_of) check(sub, value);
    if (n.ref) check(*n.ref, value);
    if (n.negated && fits(*n.negated, value)) problem("must not fit what `not` says");
    if (!n.any_of.empty()) alternatives(n.any_of, value, false);
    if (!n.one_of.empty()) alternatives(n.one_of, value, true);
  }

  void number(const Node& n, const json::value& value) {
    if (n.minimum && compare_numbers(value, *n.minimum) < 0) {
      problem("must be at least " + shown(*n.minimum) + ", not " + shown(value));
    }
    if (n.maximum && compare_numbers(value, *n.maximum) > 0) {
      problem("must be at most " + shown(*n.maximum) + ", not " + shown(value));
    }
    if (n.exclusive_minimum && compare_numbers(value, *n.exclusive_minimum) <= 0) {
      problem("must be more than " + shown(*n.exclusive_minimum) + ", not " + shown(value));
    }
    if (n.exclusive_maximum && compare_numbers(value, *n.exclusive_maximum) >= 0) {
      problem("must be less than " + shown(*n.exclusive_maximum) + ", not " + shown(value));
    }
  }

  void string(const Node& n, const json::string& value) {
    if (n.min_length || n.max_length) {
      range(characters(value), n.min_length, n.max_length, "character");
    }
    if (n.pattern && !re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *n.pattern)) {
      problem("must match the pattern " + printable(utf8_prefix(n.pattern->pattern(), 200)) + ", not " +
              shown(value));
    }
  }

  void array(const Node& n, const json::array& value) {
    range(value.size(), n.min_items, n.max_items, "item");
    if (n.unique) {
      std::set<std::string> seen;
      std::size_t index = 0;
      for (const auto& item : value) {
        if (!seen.insert(normal_text(item)).second) {
          problem("must not hold the same item twice (item " + std::to_string(index) + " is a repetition)");
          break;
        }
        ++index;
      }
    }
    if (!n.items) return;
    std::size_t index = 0;
    for (const auto& item : value) {
      if (stop()) return;
      enter(std::to_string(index++), *n.items, item);
    }
  }

  void object(const Node& n, const json::object& value) {
    range(value.size(), n.min_properties, n.max_properties, "property");
    for (const std::string& name : n.required) {
      if (!value.contains(name)) problem("the property \"" + printable(name) + "\" is missing");
    }
    if (n.property_names) {
      for (const auto& [key, member] : value) {
        if (stop()) return;
        enter(key, *n.property_names, json::value(key));
      }
    }
    if (n.properties.empty() && !n.additional) return;
    for (const auto& [key, member] : value) {
      if (stop()) return;
      const auto known = std::ranges::lower_bound(n.properties, std::string_view(key), {},
                                                  [](const auto& p) { return std::string_view(p.first); });
      if (known != n.properties.end() && known->first == std::string_view(key)) {
        enter(key, known->second, member);
      } else if (n.additional && program_.nodes[*n.additional].never) {
        unknown_property(n, key);
      } else if (n.additional) {
        enter(key, *n.additional, member);
      }
    }
  }

  void unknown_property(const Node& n, std::string_view key) {
    const std::size_t size = pointer_.size();
    pointer_ += "/" + escape_pointer(key);
    std::string_view meant;
    if (!quiet_ && n.properties.size() <= 1000) {
      std::vector<std::string_view> names;
      for (const auto& [name, sub] : n.properties) names.emplace_back(name);
      meant = nearest(key, names);
    }
    problem(meant.empty() ? "is not a known property"
                          : "is not a known property, did you mean \"" + std::string(meant) + "\"?");
    pointer_.resize(size);
  }

  void range(std::uint64_t count, const std::optional<std::uint64_t>& least,
             const std::optional<std::uint64_t>& most, std::string_view noun) {
    const auto text = [&](std::uint64_t n) {
      const std::string plural = noun == "property" ? "properties" : std::string(noun) + "s";
      return std::to_string(n) + " " + (n == 1 ? std::string(noun) : plural);
    };
    if (least && count < *least)
      problem("must have at least " + text(*least) + ", not " + std::to_string(count));
    if (most && count > *most) problem("must have at most " + text(*most) + ", not " + std::to_string(count));
  }

  void enter(std::string_view part, NodeIndex index, const json::value& value) {
    const std::size_t size = pointer_.size();
    pointer_ += "/" + escape_pointer(part);
    check(index, value);
    pointer_.resize(size);
  }

  // Checks without reporting.
  bool fits(NodeIndex index, const json::value& value) {
    const bool failed = std::exchange(failed_, false);
    const bool quiet = std::exchange(quiet_, true);
    check(index, value);
    const bool fit = !failed_;
    failed_ = failed;
    quiet_ = quiet;
    return fit;
  }

  void alternatives(const std::vector<NodeIndex>& branches, const json::value& value, bool only_one) {
    std::size_t fitting = 0;
    const NodeIndex* near = nullptr;  // the one branch that this kind of value could fit
    std::size_t near_count = 0;
    for (const NodeIndex& branch : branches) {
      if (fits(branch, value)) {
        if (++fitting > 1 || !only_one) break;
      }
      const Node& n = program_.nodes[branch];
      if (n.types == 0 || (n.types & types_of(value)) != 0) {
        near = &branch;
        ++near_count;
      }
    }
    if (fitting == 1) return;
    if (quiet_) {
      failed_ = true;  // nobody reads why
      return;
    }
    if (fitting > 1) return problem("must fit only one of the alternatives of `oneOf`");
    if (near_count == 1) {
      failed_ = true;
      return check(*near, value);  // its problems are the ones that help
    }
    std::uint8_t types = 0;
    bool all_typed = true;
    for (const NodeIndex branch : branches) {
      types |= program_.nodes[branch].types;
      all_typed = all_typed && program_.nodes[branch].types != 0;
    }
    if (near_count == 0 && all_typed) return problem("must be " + describe(types) + ", not " + shown(value));
    problem("fits none of the alternatives of `" + std::string(only_one ? "oneOf" : "anyOf") + "`");
  }

  // One problem is enough when nobody reads them.
  bool stop() const { return (quiet_ && failed_) || steps_ > kMaxSteps || problems_.size() >= limit_; }

  const Program& program_;
  std::size_t limit_;
  Problems problems_;
  std::string pointer_;
  std::uint64_t steps_ = 0;
  std::size_t nesting_ = 0;
  bool failed_ = false;
  bool quiet_ = false;
};

}  // namespace

Problems Schema::validate(const json::value& value, std::size_t limit) const {
  return Validator(*program_, std::max<std::size_t>(1, limit)).run(value);
}

}  // namespace baton::schema
