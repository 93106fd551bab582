// A thin layer over SQLiteCpp: connections that keep their prepared statements, and one execution of a
// statement that always ends with a reset. SQLite::Exception is thrown on errors; it ends at the boundary of
// this folder (errors.hpp).
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <climits>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace baton::store::sqlite {

// One execution. What is bound without a copy must live until the Query ends.
class Query {
 public:
  explicit Query(SQLite::Statement& statement) : statement_(&statement) {}
  Query(Query&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  ~Query() {
    if (statement_) statement_->tryReset();
  }

  // Parameters count from 1, columns from 0.
  Query& number(int parameter, std::int64_t value) {
    statement_->bind(parameter, value);
    return *this;
  }
  Query& null(int parameter) {
    statement_->bind(parameter);
    return *this;
  }
  Query& text(int parameter, const std::string& value) {
    check_size(value.size());
    statement_->bindNoCopy(parameter, value);
    return *this;
  }
  Query& blob(int parameter, std::string_view bytes) {
    check_size(bytes.size());
    // A null pointer would bind NULL.
    statement_->bindNoCopy(parameter, bytes.data() ? bytes.data() : "", static_cast<int>(bytes.size()));
    return *this;
  }

  bool next() { return statement_->executeStep(); }
  // Executes to the end.
  void run() {
    while (next()) {
    }
  }

  std::int64_t number_at(int column) const { return statement_->getColumn(column).getInt64(); }
  // Of TEXT or BLOB; valid until the next step.
  std::string_view bytes_at(int column) const {
    const SQLite::Column value = statement_->getColumn(column);
    const void* bytes = value.getBlob();  // before the size: the order that SQLite asks for
    return {static_cast<const char*>(bytes), static_cast<std::size_t>(value.getBytes())};
  }
  bool is_null_at(int column) const { return statement_->getColumn(column).isNull(); }
  bool is_number_at(int column) const { return statement_->getColumn(column).isInteger(); }

 private:
  // SQLite counts bytes in an int; its own limit (1e9) is checked by itself.
  static void check_size(std::size_t size) {
    if (size > INT_MAX) throw SQLite::Exception("a value is larger than 2 GiB", kTooBig);
  }
  static constexpr int kTooBig = 18;  // SQLITE_TOOBIG

  SQLite::Statement* statement_;
};

// One connection. Used by one thread at a time.
class Connection {
 public:
  Connection(const std::string& path, int flags, int busy_timeout_ms, const std::string& vfs)
      : database_(path, flags, busy_timeout_ms, vfs) {}

  SQLite::Database& database() { return database_; }
  sqlite3* handle() const { return database_.getHandle(); }
  // The statement of this text, prepared once. The same text must not be in use twice at once. Texts are
  // built from constants only, so their number is bounded.
  Query query(std::string_view sql) { return Query(statement(sql)); }
  SQLite::Statement& statement(std::string_view sql) {
    if (const auto found = statements_.find(sql); found != statements_.end()) return found->second;
    std::string text(sql);
    SQLite::Statement prepared(database_, text);
    return statements_.emplace(std::move(text), std::move(prepared)).first->second;
  }
  void exec(const char* sql) { database_.exec(sql); }
  std::int64_t pragma(const char* sql) { return database_.execAndGet(sql).getInt64(); }
  std::string pragma_text(const char* sql) { return database_.execAndGet(sql).getString(); }
  int changes() const { return database_.getChanges(); }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  SQLite::Database database_;
  std::unordered_map<std::string, SQLite::Statement, TextHash, std::equal_to<>> statements_;  // end first
};

}  // namespace baton::store::sqlite
