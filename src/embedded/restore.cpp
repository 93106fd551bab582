#include "embedded/restore.hpp"

#include "embedded/data_dir.hpp"
#include "store/everywhere.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace baton::embedded {

Result<Restored> restore(const std::string& file, const std::string& data_dir, bool replace) {
  TRY(const Fd lock, take_ownership(data_dir));
  const std::string database = data_dir + "/baton.db";
  TRY(store::Restored done, store::restore_sqlite(file, database, replace));
  Restored restored{std::move(done)};
  // A copy of an older schema is migrated when it is opened; it has no secrets.
  if (const auto reader = store::open_sqlite_reader(database)) {
    restored.secrets = store::count_everywhere(**reader, model::RecordKind::secret).value_or(0);
  }
  return restored;
}

}  // namespace baton::embedded
