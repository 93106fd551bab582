#include "schema/schema.hpp"

#include "schema/program.hpp"

namespace baton::schema {

const std::vector<std::string>& Schema::unchecked() const {
  return program_->unchecked;
}

}  // namespace baton::schema
