#include "expr/shape.hpp"

namespace baton::expr {

struct Shape::Inner {
  Shape element;
  std::optional<std::map<std::string, Shape, std::less<>>> fields;
  bool closed = false;
};

Shape Shape::of(Kind kind) {
  Shape s;
  s.kind_ = kind;
  return s;
}

Shape Shape::list(Shape element) {
  Shape s = of(Kind::list);
  s.inner_ = std::make_shared<const Inner>(Inner{.element = std::move(element)});
  return s;
}

Shape Shape::map(Shape value) {
  Shape s = of(Kind::map);
  s.inner_ = std::make_shared<const Inner>(Inner{.element = std::move(value)});
  return s;
}

Shape Shape::object(std::map<std::string, Shape, std::less<>> fields, bool closed) {
  Shape s = of(Kind::map);
  s.inner_ = std::make_shared<const Inner>(Inner{.fields = std::move(fields), .closed = closed});
  return s;
}

Shape Shape::element() const {
  return inner_ ? inner_->element : Shape();
}

const std::map<std::string, Shape, std::less<>>* Shape::fields() const {
  return inner_ && inner_->fields ? &*inner_->fields : nullptr;
}

bool Shape::closed() const {
  return inner_ && inner_->closed;
}

std::string_view name_of(const Shape& shape) {
  return shape.kind() ? kind_name(*shape.kind()) : "dyn";
}

}  // namespace baton::expr
