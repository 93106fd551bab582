#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "expr/expr.hpp"

namespace baton::expr {

Result<Variables> Variables::from_json(std::shared_ptr<const boost::json::value> object) {
  const auto* members = object->if_object();
  if (!members) return fail(ErrorCode::invalid_input, "variables are given as a JSON object");
  Variables variables;
  for (const auto& member : *members)
    variables.set(std::string(member.key()), Value::from_json(member.value(), object));
  return variables;
}

void Variables::set(std::string name, Value value) {
  dotted_ = dotted_ || name.find('.') != std::string::npos;
  own_.insert_or_assign(std::move(name), std::move(value));
}

void Variables::set_lazy(std::string name, Loader loader) {
  dotted_ = dotted_ || name.find('.') != std::string::npos;
  own_.insert_or_assign(std::move(name), std::move(loader));
}

Result<std::optional<Value>> Variables::find(std::string_view name) const {
  const auto found = own_.find(name);
  if (found == own_.end()) {
    if (outer_) return outer_->find(name);
    return std::nullopt;
  }
  if (const auto* value = std::get_if<Value>(&found->second)) return *value;
  TRY(Value loaded, std::get<Loader>(found->second)());
  return std::optional<Value>(std::move(loaded));
}

bool Variables::has_dotted_names() const {
  return dotted_ || (outer_ && outer_->has_dotted_names());
}

std::vector<std::string_view> Variables::names() const {
  std::vector<std::string_view> result;
  if (outer_) result = outer_->names();
  for (const auto& [name, value] : own_) result.push_back(name);
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

}  // namespace baton::expr
