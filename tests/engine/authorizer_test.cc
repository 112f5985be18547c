// Authorizer: what SQL may not do on connections that all sessions share, and the reason each refusal gives.
#include "daemon/engine/authorizer.h"

#include <criterion/criterion.h>

#include <filesystem>

#include "tests/engine/expectations.h"
#include "tests/engine/scratch_database.h"

using namespace skua;
using namespace skua::test;

namespace {

void expect_refused(Connection& connection, std::string_view sql, std::string_view reason) {
  expect_error(error_of(connection, sql), ErrorCode::kAccess, reason);
}

// The databases of the connection: "main" and nothing else, if nothing was attached.
std::string attached(Connection& connection) { return text_of(connection, "SELECT name FROM pragma_database_list"); }

}  // namespace

Test(authorizer, refuses_to_attach_and_detach) {
  ScratchDatabase scratch;
  for (Connection* connection : {&scratch.writer(), &scratch.reader()}) {
    for (const std::string_view sql : {"ATTACH '/tmp/other.db' AS other", "ATTACH ':memory:' AS other",
                                       "ATTACH ?1 AS other", "ATTACH 'a' || 'b' AS other"}) {
      expect_refused(*connection, sql, "ATTACH and VACUUM INTO are not available");
    }
    expect_refused(*connection, "ATTACH '' AS other", "ATTACH is not available");
    expect_refused(*connection, "DETACH main", "DETACH is not available");
    expect_text(attached(*connection), "main");
  }
}

Test(authorizer, refuses_temporary_objects) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)"});
  for (const std::string_view sql :
       {"CREATE TEMP TABLE x(a)", "CREATE TABLE temp.x(a)", "CREATE TEMPORARY TABLE x AS SELECT 1",
        "CREATE TEMP VIEW x AS SELECT 1", "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE temp.x USING fts5(a)", "CREATE VIEW temp.x AS SELECT 1",
        "CREATE TRIGGER temp.x AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE TRIGGER temp.x AFTER INSERT ON main.t BEGIN SELECT 1; END"}) {
    expect_refused(scratch.writer(), sql, "TEMP ");
  }
  expect_text(text_of(scratch.writer(), "SELECT count(*) FROM sqlite_temp_schema"), "0");
}

Test(authorizer, lets_tables_of_a_database_be_altered_and_dropped) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a)", "CREATE VIEW v AS SELECT a FROM t",
               "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t WHERE a = 0; END", "ALTER TABLE t RENAME TO u",
               "ALTER TABLE u RENAME COLUMN a TO b", "ALTER TABLE u ADD COLUMN c", "ALTER TABLE u DROP COLUMN c",
               "CREATE INDEX i ON u(b)", "REINDEX", "ANALYZE", "DROP TRIGGER g", "DROP VIEW v", "DROP TABLE u"});
  expect_text(text_of(scratch.writer(), "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"), "");
}

Test(authorizer, refuses_transaction_control_as_text) {
  ScratchDatabase scratch;
  for (const std::string_view sql :
       {"BEGIN", "BEGIN IMMEDIATE", "COMMIT", "END", "ROLLBACK", "SAVEPOINT a", "RELEASE a", "ROLLBACK TO a",
        "\xEF\xBB\xBF" "BEGIN", "/* c */ COMMIT", "; ROLLBACK", "EXPLAIN BEGIN"}) {
    expect_refused(scratch.writer(), sql, "transaction control is not available in this place");
    cr_assert(!scratch.writer().in_transaction());
  }
  // describe prepares apart from the cache.
  const auto described = scratch.writer().prepare("\xEF\xBB\xBF" "BEGIN");
  cr_assert(!described);
  expect_error(described.error(), ErrorCode::kAccess, "transaction control is not available");
}

Test(authorizer, allows_the_pragmas_that_only_tell) {
  ScratchDatabase scratch;
  scratch.run({"CREATE TABLE t(a PRIMARY KEY, b REFERENCES t(a))", "CREATE INDEX by_b ON t(b)"});
  for (const std::string_view name :
       {"collation_list", "compile_options", "database_list", "foreign_key_check", "foreign_key_check(t)",
        "foreign_key_list(t)", "function_list", "index_info(by_b)", "index_list(t)", "index_xinfo(by_b)",
        "integrity_check", "integrity_check(1)", "module_list", "optimize", "pragma_list", "quick_check",
        "table_info(t)", "table_list", "table_xinfo(t)", "stats", "main.table_info(t)", "TABLE_INFO(t)"}) {
    (void)rows_of(scratch.writer(), fmt::format("PRAGMA {}", name));
  }
  expect_text(text_of(scratch.writer(), "SELECT name FROM pragma_table_info('t')"), "a\nb");
}

Test(authorizer, allows_settings_to_be_asked_and_not_to_be_changed) {
  ScratchDatabase scratch;
  for (const std::string_view name :
       {"auto_vacuum", "automatic_index", "busy_timeout", "cache_size", "cache_spill", "cell_size_check",
        "data_version", "defer_foreign_keys", "encoding", "foreign_keys", "freelist_count", "journal_mode",
        "journal_size_limit", "max_page_count", "page_count", "page_size", "recursive_triggers", "schema_version",
        "synchronous", "wal_autocheckpoint"}) {
    const std::string before = text_of(scratch.writer(), fmt::format("PRAGMA {}", name));
    expect_refused(scratch.writer(), fmt::format("PRAGMA {} = 1", name), fmt::format("PRAGMA {} cannot be set here", name));
    expect_refused(scratch.writer(), fmt::format("PRAGMA main.{}(1)", name), "cannot be set here");
    expect_text(text_of(scratch.writer(), fmt::format("PRAGMA {}", name)), before);
  }
}

Test(authorizer, allows_numbers_to_be_stored_in_the_file) {
  ScratchDatabase scratch;
  scratch.run({"PRAGMA user_version = 3", "PRAGMA application_id(77)"});
  scratch.reopen();
  expect_text(text_of(scratch.writer(), "PRAGMA user_version"), "3");
  expect_text(text_of(scratch.reader(), "PRAGMA application_id"), "77");
}

Test(authorizer, refuses_every_other_pragma_with_or_without_a_value) {
  ScratchDatabase scratch;
  for (const std::string_view name :
       {"analysis_limit", "case_sensitive_like", "checkpoint_fullfsync", "count_changes", "data_store_directory",
        "empty_result_callbacks", "full_column_names", "fullfsync", "hard_heap_limit", "ignore_check_constraints",
        "incremental_vacuum", "legacy_alter_table", "locking_mode", "mmap_size", "query_only", "read_uncommitted",
        "reverse_unordered_selects", "secure_delete", "short_column_names", "shrink_memory", "soft_heap_limit",
        "temp_store", "temp_store_directory", "threads", "trusted_schema", "vdbe_trace", "writable_schema", "key",
        "nothing_of_this_name"}) {
    expect_refused(scratch.writer(), fmt::format("PRAGMA {}", name), fmt::format("PRAGMA {} is not available", name));
    expect_refused(scratch.writer(), fmt::format("PRAGMA {} = 1", name), "is not available");
  }
  for (const std::string_view sql : {"PRAGMA wal_checkpoint", "PRAGMA wal_checkpoint(TRUNCATE)"}) {
    expect_refused(scratch.writer(), sql, "the daemon runs all checkpoints by itself");
  }
}

Test(authorizer, refuses_a_pragma_that_is_hidden_in_a_query) {
  ScratchDatabase scratch;
  expect_error(error_of(scratch.writer(), "SELECT * FROM pragma_secure_delete"), ErrorCode::kAccess);
}

Test(authorizer, refuses_what_shows_or_changes_the_daemon_itself) {
  ScratchDatabase scratch;
  expect_refused(scratch.reader(), "SELECT fts3_tokenizer('simple')", "the function fts3_tokenizer is not available");
  expect_refused(scratch.writer(), "SELECT Load_Extension('none')", "is not available");
  expect_refused(scratch.reader(), "SELECT sql FROM sqlite_stmt", "the table sqlite_stmt is not available");
  expect_refused(scratch.reader(), "SELECT count(*) FROM SQLITE_STMT", "the table sqlite_stmt is not available");
}

Test(authorizer, each_refusal_gives_its_own_reason) {
  ScratchDatabase scratch;
  expect_refused(scratch.writer(), "DETACH main", "DETACH");
  expect_refused(scratch.writer(), "BEGIN", "transaction control");
  // Refused while it runs, not while it is prepared.
  (void)error_of(scratch.writer(), "SELECT * FROM pragma_secure_delete");
  expect_refused(scratch.writer(), "DETACH main", "DETACH");
  (void)error_of(scratch.writer(), "VACUUM");
  expect_refused(scratch.writer(), "DETACH main", "DETACH");
}

Test(authorizer, what_the_daemon_prepared_for_itself_is_not_leased_to_users) {
  ScratchDatabase scratch;
  must(scratch.writer().set_relaxed(true));
  must(scratch.writer().begin(false, true));
  scratch.writer().rollback();
  for (const std::string_view sql : {"PRAGMA synchronous=NORMAL", "PRAGMA journal_mode=WAL", "BEGIN IMMEDIATE", "ROLLBACK"}) {
    expect_error(error_of(scratch.writer(), sql), ErrorCode::kAccess);
  }
}

Test(authorizer, internal_rights_end_with_their_scope) {
  ScratchDatabase scratch;
  {
    const auto internal = scratch.writer().allow_internal();
    (void)rows_of(scratch.writer(), "VACUUM");
  }
  expect_refused(scratch.writer(), "BEGIN", "transaction control");
  expect_text(attached(scratch.writer()), "main");
}
