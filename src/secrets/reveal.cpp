#include "secrets/reveal.hpp"

#include <boost/json/serialize.hpp>

#include "base/json.hpp"
#include "expr/template.hpp"

namespace baton::secrets {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepth = 128;
// Of one string: what stands in it was counted when it was rendered the first time.
constexpr expr::Limits kLimits{.steps = 10'000'000, .bytes = std::uint64_t{64} << 20};

class Revealer {
 public:
  explicit Revealer(const Lookup& lookup) : lookup_(lookup) {}

  // Recursion is bounded by the depth that was parsed.
  Status fill(json::value& value) {
    if (const auto* text = value.if_string()) {
      const std::string_view view(text->data(), text->size());
      if (view.find("${{") == std::string_view::npos) return {};
      TRY(value, filled(view));
    } else if (auto* list = value.if_array()) {
      for (json::value& item : *list) TRY_VOID(fill(item));
    } else if (auto* object = value.if_object()) {
      for (auto& member : *object) TRY_VOID(fill(member.value()));
    }
    return {};
  }

 private:
  Result<json::value> filled(std::string_view text) {
    const auto parsed = expr::Template::parse(text);
    if (!parsed) {
      return fail(ErrorCode::expression, "what the step gets has secrets in it and cannot be read: " +
                                             parsed.error().front().message);
    }
    std::vector<std::pair<expr::Value, expr::Value>> values;
    for (const std::string& name : parsed->secrets()) {
      TRY(std::string value, lookup_(name));
      values.emplace_back(expr::Value::string(name), expr::Value::string(std::move(value)));
    }
    expr::Variables variables;
    variables.set("secrets", expr::Value::map(std::move(values)));
    return parsed->render(variables, kLimits, zones_);
  }

  const Lookup& lookup_;
  const calendar::ZoneTable zones_;
};

}  // namespace

Result<std::string> reveal(std::string_view spec, const Lookup& lookup) {
  json::parse_options options;
  options.max_depth = kDepth;
  json::error_code error;
  json::value value = parse_json(spec, error, {}, options);
  if (error) return fail(ErrorCode::internal, "what the step gets is no JSON: " + error.message());
  TRY_VOID(Revealer(lookup).fill(value));
  return json::serialize(value);
}

}  // namespace baton::secrets
