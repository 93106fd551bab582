// What is known of a value before it is there: a tree of kinds with `dyn` for "anything".
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "expr/value.hpp"

namespace baton::expr {

// Immutable, cheap to copy.
class Shape {
 public:
  Shape() = default;  // dyn
  static Shape of(Kind kind);
  static Shape list(Shape element);
  static Shape map(Shape value);  // any string keys
  // A map with these fields. A closed one has no others: reading another is an error of the definition.
  static Shape object(std::map<std::string, Shape, std::less<>> fields, bool closed = true);

  bool is_dyn() const { return !kind_; }
  std::optional<Kind> kind() const { return kind_; }
  // Of a list's elements or a map's values; dyn if unknown.
  Shape element() const;
  // Fields of an object; nullptr for everything else.
  const std::map<std::string, Shape, std::less<>>* fields() const;
  bool closed() const;

 private:
  struct Inner;
  std::optional<Kind> kind_;
  std::shared_ptr<const Inner> inner_;
};

// For messages: "int", "list", "dyn".
std::string_view name_of(const Shape& shape);

}  // namespace baton::expr
