#include "embedded/restore.hpp"

#include "embedded/data_dir.hpp"

namespace baton::embedded {

Result<store::Restored> restore(const std::string& file, const std::string& data_dir, bool replace) {
  TRY(const Fd lock, take_ownership(data_dir));
  return store::restore_sqlite(file, data_dir + "/baton.db", replace);
}

}  // namespace baton::embedded
