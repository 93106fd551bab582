// + - * / % and unary minus.
#pragma once

#include "expr/ast.hpp"

namespace baton::expr {

// Overflow, division by zero and kinds that do not go together are faults.
Outcome arithmetic(Operator op, const Value& a, const Value& b, Budget& budget);
Outcome negate(const Value& v);

}  // namespace baton::expr
