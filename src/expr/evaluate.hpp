// Evaluation with a budget that several expressions share.
#pragma once

#include "expr/ast.hpp"

namespace baton::expr {

Outcome evaluate(const Ast& ast, const Variables& variables, Budget& budget,
                 const calendar::ZoneTable& zones);

// The error that a caller sees.
Error to_error(const Fault& fault, std::string_view text);

}  // namespace baton::expr
