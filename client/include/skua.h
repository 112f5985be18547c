// The C interface of Skua, C99 and C++: what libskua.so.1 exports, and nothing else of it. docs/C.md is its guide.
#pragma once

/**
 * @file skua.h
 *
 * **Threads.** A connection, and every transaction and stream that came from it, belong to one thread at a time. Results,
 * batches, parameters, rows and errors belong to any thread, one at a time. A canceller may be used by all threads at once,
 * and in a signal handler. A connection is of no use in a child process after fork(2). To stop a thread that waits in one of
 * these functions use a canceller; pthread_cancel(3) ends the process there.
 *
 * **Errors.** A function that returns skua_code returns SKUA_OK, which is 0, or why it failed. With an `error` argument that
 * is not NULL it also stores an object that tells more, to be freed with skua_error_free(), or NULL on success; what was in
 * the variable before is not looked at. Whatever else a failed function would have stored is NULL then. An argument that
 * must not be NULL, and is, gives SKUA_USAGE. No function throws, and none ends the process for what a caller or a daemon did.
 *
 * **Lifetimes.** What a function stores through a pointer to a pointer belongs to the caller until it is given to the `_free`
 * function of its type. Those take NULL, too, and may be called in any order: a session with the daemon ends when its
 * connection and all transactions and streams of it were freed. Everything that is passed in is copied, or used only until the
 * function returns.
 *
 * **Text** is UTF-8. Names, SQL and messages end with a NUL; values have a size, may contain NUL, and do not end with one.
 *
 * **Structures that a caller fills in** begin with `struct_size`, which must be sizeof the structure; the rest may be all zero,
 * which means the defaults: `skua_request_options options = SKUA_REQUEST_OPTIONS_INIT;`. Later versions add members at the
 * end. Structures that the library hands out may grow at the end as well: do not make arrays of them.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SKUA_API __attribute__((visibility("default")))
#else
#define SKUA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** The version of this header. skua_version() tells that of the library. */
#define SKUA_VERSION_MAJOR 0
#define SKUA_VERSION_MINOR 1
#define SKUA_VERSION_PATCH 0

/** In place of the size of a text: up to its NUL. */
#define SKUA_NUL_TERMINATED SIZE_MAX

/**
 * What went wrong, as what to do next. Later versions may add codes. The numbers are those of the protocol, except that of
 * SKUA_INTERNAL, which is 0 there.
 */
typedef enum skua_code {
  SKUA_OK = 0,
  SKUA_PROTOCOL = 1,             /**< a side broke the protocol: report it */
  SKUA_VERSION = 2,              /**< no common protocol version: update the older side */
  SKUA_SQL = 3,                  /**< fix the SQL */
  SKUA_CONSTRAINT = 4,           /**< the data breaks a constraint */
  SKUA_PARAMETER = 5,            /**< the parameters do not fit the statement */
  SKUA_NOT_FOUND = 6,            /**< no such database: fix the name */
  SKUA_ACCESS = 7,               /**< refused to this user, or never allowed */
  SKUA_LIMIT = 8,                /**< a limit, which the message names, was passed: ask for less, or raise it */
  SKUA_CANCELLED = 9,            /**< cancelled by the client */
  SKUA_DEADLINE = 10,            /**< its deadline passed: retry with more time */
  SKUA_UNAVAILABLE = 11,         /**< not now: retry later */
  SKUA_TRANSACTION_ABORTED = 12, /**< rolled back by the daemon: roll back, then begin anew */
  SKUA_TRANSACTION_STATE = 13,   /**< not allowed in the transaction's present state: fix the order of requests */
  SKUA_READ_ONLY = 14,           /**< a write where only reads are allowed */
  SKUA_DISK_FULL = 15,           /**< free some space, then retry */
  SKUA_IO = 16,                  /**< the disk or the file failed: look at the daemon's log */
  SKUA_CORRUPT = 17,             /**< the file is damaged or not a database: restore it */
  SKUA_CONNECT = 1000,           /**< cannot reach the daemon: is it running, is this the socket? */
  SKUA_LOST = 1001,     /**< the connection ended before the answer: nothing was changed, or it was rolled back */
  SKUA_IN_DOUBT = 1002, /**< the connection ended before the answer to something that may have been committed */
  SKUA_USAGE = 1003,    /**< the caller's mistake: an argument that is NULL, a value of another type */
  SKUA_INTERNAL = 2000, /**< a defect of the daemon or of the library: report it */
  SKUA_NO_MEMORY = 2001 /**< memory of this process; what was requested may have happened or not */
} skua_code;

/** The type of a value. */
typedef enum skua_kind {
  SKUA_NULL = 0,
  SKUA_INTEGER = 1, /**< 64 bits */
  SKUA_REAL = 2,    /**< double; NaN is stored as NULL */
  SKUA_TEXT = 3,
  SKUA_BLOB = 4
} skua_kind;

/** How the values of a skua_column lie. */
typedef enum skua_layout {
  SKUA_LAYOUT_NULLS = 0,    /**< every value is NULL */
  SKUA_LAYOUT_INTEGERS = 1, /**< `integers` and `nulls` */
  SKUA_LAYOUT_REALS = 2,    /**< `reals` and `nulls` */
  SKUA_LAYOUT_TEXTS = 3,    /**< `ends` into `bytes`, and `nulls` */
  SKUA_LAYOUT_BLOBS = 4,    /**< the same */
  SKUA_LAYOUT_MIXED = 5     /**< values of several kinds: `kinds` and `words`, which may point into `bytes` */
} skua_layout;

/** What an acknowledged write survives. */
typedef enum skua_durability {
  SKUA_DURABILITY_FULL = 0,   /**< acknowledged after it was synced to the disk */
  SKUA_DURABILITY_RELAXED = 1 /**< acknowledged after it was written to the log: a power failure may undo it */
} skua_durability;

/** What a transaction is for: writing, or reading one snapshot. */
typedef enum skua_transaction_mode { SKUA_TRANSACTION_WRITE = 0, SKUA_TRANSACTION_READ = 1 } skua_transaction_mode;

/** What became of the transaction that a request was in. */
typedef enum skua_transaction_state {
  SKUA_TRANSACTION_NONE = 0,  /**< none is open */
  SKUA_TRANSACTION_OPEN = 1,  /**< it goes on; a failed statement undid itself */
  SKUA_TRANSACTION_GONE = 2   /**< the daemon rolled it back; only rollback is accepted now */
} skua_transaction_state;

/** What the library hands out, each with a `_free` function. */
typedef struct skua_error skua_error;
typedef struct skua_connection skua_connection;
typedef struct skua_canceller skua_canceller;
typedef struct skua_transaction skua_transaction;
typedef struct skua_parameters skua_parameters;
typedef struct skua_rows skua_rows;
typedef struct skua_result skua_result;
typedef struct skua_stream skua_stream;
typedef struct skua_batch skua_batch;

/** One value. Which member holds it says `kind`; the others are zero. */
typedef struct skua_value {
  skua_kind kind;    /**< what it is */
  int64_t integer;   /**< of SKUA_INTEGER */
  double real;       /**< of SKUA_REAL */
  const char *bytes; /**< of texts and blobs: in the memory of the batch or result they came from */
  size_t size;       /**< of `bytes` */
} skua_value;

/**
 * All rows of one column, as they lie in the received message: nothing is copied. Also the rows of one parameter that
 * skua_rows_append_columns() takes. Pointers that the layout does not use are NULL.
 */
typedef struct skua_column {
  skua_layout layout;       /**< which of the pointers are used */
  size_t row_count;         /**< of the column */
  const uint8_t *nulls;     /**< NULL: no row is NULL. Else bit `row % 8` of byte `row / 8` is set if the row is. Not in mixed */
  const int64_t *integers;  /**< one for each row; 0 where NULL */
  const double *reals;      /**< the same */
  const uint32_t *ends;     /**< the value of row i is bytes[ends[i - 1]] to before bytes[ends[i]], from 0 for row 0 */
  const uint8_t *kinds;     /**< of mixed: the skua_kind of each row */
  const uint64_t *words;    /**< of mixed: the integer, the bits of the real, or of texts and blobs offset << 32 | size */
  const char *bytes;        /**< of texts, blobs and mixed */
  size_t bytes_size;        /**< of `bytes` */
} skua_column;

/** What a finished statement says of itself. */
typedef struct skua_summary {
  uint64_t changes;           /**< rows inserted, updated or deleted by the statement itself, not by triggers */
  int64_t last_insert_rowid;  /**< 0 if it inserted none */
  uint64_t row_count;         /**< rows returned */
  uint64_t server_us;         /**< microseconds in the daemon, from arrival to the end */
  skua_transaction_state transaction; /**< after the statement */
} skua_summary;

/** What may be said about a connection. */
typedef struct skua_connect_options {
  size_t struct_size;          /**< sizeof(skua_connect_options) */
  const char *socket_path;     /**< NULL: $SKUA_SOCKET, else $XDG_RUNTIME_DIR/skua/skua.sock, else /run/skua/skua.sock */
  const char *database;        /**< for requests that name none. NULL: the daemon's only one */
  const char *client_name;     /**< shown to operators, at most 128 bytes. NULL: "libskua" */
  uint32_t connect_timeout_ms; /**< milliseconds. 0: 5000 */
  uint32_t reserved;           /**< 0 */
} skua_connect_options;

/** All defaults. */
#define SKUA_CONNECT_OPTIONS_INIT {sizeof(skua_connect_options), NULL, NULL, NULL, 0, 0}

/** What may be said about one request. */
typedef struct skua_request_options {
  size_t struct_size;          /**< sizeof(skua_request_options) */
  const char *database;        /**< NULL: the connection's */
  uint32_t deadline_ms;        /**< milliseconds from now until it fails with SKUA_DEADLINE. 0: none */
  skua_durability durability;  /**< of a write; a transaction's is said when it begins */
  uint32_t window_bytes;       /**< of a stream: how far the daemon may be ahead. 0: its default, 256 KiB */
  /**
   * Not 0: of skua_connection_execute_many(). Each row stands for itself; the rows are committed in slices of some
   * milliseconds, and others write in between. A row that fails ends it: those before it stay committed, and skua_error_row()
   * is the row to go on with. Not together with an idempotency key.
   */
  uint32_t independent_rows;
  /**
   * For a write outside of a transaction whose answer may get lost: sent again with the same key it is not done again, and
   * answered as the first time. A key belongs to one request and is remembered for a day, unless the daemon is configured
   * otherwise. Any bytes, at most 255. NULL: none.
   */
  const char *idempotency_key;
  size_t idempotency_key_size; /**< may be SKUA_NUL_TERMINATED */
} skua_request_options;

/** All defaults. */
#define SKUA_REQUEST_OPTIONS_INIT {sizeof(skua_request_options), NULL, 0, SKUA_DURABILITY_FULL, 0, 0, NULL, 0}

/** The version of the library, "0.1.0". Static. */
SKUA_API const char *skua_version(void);

/** @name Errors
 * Each of these takes NULL, as if it were the error object of success. @{ */

/** SKUA_OK for NULL. */
SKUA_API skua_code skua_error_code(const skua_error *error);
/** For people; never to be parsed. Lives as long as the error. "" for NULL. */
SKUA_API const char *skua_error_message(const skua_error *error);
/** SQLite's extended result code (sqlite.org/rescode.html), 0 if there is none. */
SKUA_API int32_t skua_error_sqlite_code(const skua_error *error);
/** Byte offset in the SQL text, -1 if unknown. */
SKUA_API int32_t skua_error_sql_offset(const skua_error *error);
/**
 * Of execute_many: the row that failed, from 0. With independent rows: the first that is not committed. -1 if there is none.
 */
SKUA_API int64_t skua_error_row(const skua_error *error);
/** 1 if the same request may succeed when it is sent again, with nothing changed by the first attempt; else 0. */
SKUA_API int skua_error_is_retryable(const skua_error *error);
/** 1 if the transaction that the request was in is gone and must be begun anew; else 0. */
SKUA_API int skua_error_ends_transaction(const skua_error *error);
SKUA_API void skua_error_free(skua_error *error);
/** "constraint", "disk full", "unknown". Static. */
SKUA_API const char *skua_code_name(skua_code code);

/** @} @name Connections @{ */

/**
 * Opens a session. `options` may be NULL. SKUA_CONNECT: nobody answers there; SKUA_VERSION: no common protocol version;
 * SKUA_ACCESS: refused to this user.
 */
SKUA_API skua_code skua_connect(const skua_connect_options *options, skua_connection **connection, skua_error **error);
/** Frees it. Transactions and streams of it can still be used, and the session lasts until they are freed as well. */
SKUA_API void skua_connection_free(skua_connection *connection);
/** 0 once the connection was lost; everything fails with SKUA_LOST then. Else 1. 0 for NULL. */
SKUA_API int skua_connection_is_open(const skua_connection *connection);
/** The daemon's version and its SQLite's. They live as long as the connection. NULL for NULL. */
SKUA_API const char *skua_connection_server_version(const skua_connection *connection);
SKUA_API const char *skua_connection_sqlite_version(const skua_connection *connection);
/** The number that operators see. 0 for NULL. */
SKUA_API uint64_t skua_connection_session_id(const skua_connection *connection);
/** A round trip that asks for nothing. */
SKUA_API skua_code skua_connection_ping(skua_connection *connection, const skua_request_options *options, skua_error **error);

/**
 * Executes exactly one statement and takes all of its rows into memory. `parameters` and `options` may be NULL; so may
 * `result`, if only the success counts.
 */
SKUA_API skua_code skua_connection_execute(skua_connection *connection, const char *sql, const skua_parameters *parameters,
                                           const skua_request_options *options, skua_result **result, skua_error **error);
/**
 * Executes one statement for each row of parameters, all in one transaction unless options->independent_rows. The result
 * has no rows. skua_error_row() tells which row failed.
 */
SKUA_API skua_code skua_connection_execute_many(skua_connection *connection, const char *sql, const skua_rows *rows,
                                                const skua_request_options *options, skua_result **result,
                                                skua_error **error);
/**
 * Executes exactly one statement and hands out its rows batch by batch, in bounded memory, however many there are. Returns
 * when the first rows are there. Other requests may use the connection while a stream is open.
 */
SKUA_API skua_code skua_connection_stream(skua_connection *connection, const char *sql, const skua_parameters *parameters,
                                          const skua_request_options *options, skua_stream **stream, skua_error **error);
/**
 * Begins a transaction; a write transaction waits for its turn to write. After a failed statement it goes on, as in SQLite,
 * unless skua_error_ends_transaction().
 */
SKUA_API skua_code skua_connection_begin(skua_connection *connection, skua_transaction_mode mode,
                                         const skua_request_options *options, skua_transaction **transaction,
                                         skua_error **error);
/**
 * Begins `count` read transactions that see exactly the same state of the database, whatever is written meanwhile: all or
 * none. `transactions` has room for that many pointers. At least 1, at most what the daemon allows a session, 64.
 * SKUA_VERSION: the daemon is too old for it.
 */
SKUA_API skua_code skua_connection_begin_group(skua_connection *connection, size_t count,
                                               const skua_request_options *options, skua_transaction **transactions,
                                               skua_error **error);

/** @} @name Cancelling @{ */

/** A canceller of the connection. It may outlive it, and then does nothing. */
SKUA_API skua_code skua_canceller_new(const skua_connection *connection, skua_canceller **canceller, skua_error **error);
/**
 * Cancels the request that the connection is waiting for; if it waits for none, then the stream that is waited for next;
 * else nothing: a request that starts later is not concerned. What was cancelled fails with SKUA_CANCELLED, unless it was
 * done already. Any thread, and signal handlers. Does nothing with NULL.
 */
SKUA_API void skua_cancel(const skua_canceller *canceller);
SKUA_API void skua_canceller_free(skua_canceller *canceller);

/** @} @name Transactions
 * As the functions of the same name on connections. @{ */

/** As skua_connection_execute(). */
SKUA_API skua_code skua_transaction_execute(skua_transaction *transaction, const char *sql, const skua_parameters *parameters,
                                            const skua_request_options *options, skua_result **result, skua_error **error);
/** As skua_connection_execute_many(), without independent rows. */
SKUA_API skua_code skua_transaction_execute_many(skua_transaction *transaction, const char *sql, const skua_rows *rows,
                                                 const skua_request_options *options, skua_result **result,
                                                 skua_error **error);
/** As skua_connection_stream(). */
SKUA_API skua_code skua_transaction_stream(skua_transaction *transaction, const char *sql, const skua_parameters *parameters,
                                           const skua_request_options *options, skua_stream **stream, skua_error **error);
/** Savepoints: at most 64 at a time, names of at most 256 bytes. */
SKUA_API skua_code skua_transaction_savepoint(skua_transaction *transaction, const char *name, skua_error **error);
SKUA_API skua_code skua_transaction_release(skua_transaction *transaction, const char *name, skua_error **error);
SKUA_API skua_code skua_transaction_rollback_to(skua_transaction *transaction, const char *name, skua_error **error);
/**
 * Ends the transaction on success; the object remains, to be freed. SKUA_IN_DOUBT: the connection was lost before the
 * answer, and it may have been committed.
 */
SKUA_API skua_code skua_transaction_commit(skua_transaction *transaction, const skua_request_options *options,
                                           skua_error **error);
/** Undoes all of it, and ends the transaction on success. Also for one that the daemon has rolled back. */
SKUA_API skua_code skua_transaction_rollback(skua_transaction *transaction, skua_error **error);
/** 1 until commit or rollback succeeded. 0 for NULL. */
SKUA_API int skua_transaction_is_open(const skua_transaction *transaction);
/** Rolls back what was not committed. */
SKUA_API void skua_transaction_free(skua_transaction *transaction);

/** @} @name Parameters of one execution
 *
 * `name` is that of :name, @name or $name, with or without the prefix. With NULL the value is for the next `?`. Either all
 * have names or none. Values are copied, and have at most 64 MiB.
 *
 * A list remembers its first failure, and whoever executes with it gets that: the codes of the single calls need not be
 * looked at. @{ */

/** NULL if there is no memory for it. */
SKUA_API skua_parameters *skua_parameters_new(void);
/** One value. */
SKUA_API skua_code skua_parameters_bind_null(skua_parameters *parameters, const char *name);
SKUA_API skua_code skua_parameters_bind_int64(skua_parameters *parameters, const char *name, int64_t value);
SKUA_API skua_code skua_parameters_bind_double(skua_parameters *parameters, const char *name, double value);
/** `size` in bytes, or SKUA_NUL_TERMINATED. NULL is SKUA_USAGE unless the size is 0; to bind NULL there is bind_null. */
SKUA_API skua_code skua_parameters_bind_text(skua_parameters *parameters, const char *name, const char *text, size_t size);
SKUA_API skua_code skua_parameters_bind_blob(skua_parameters *parameters, const char *name, const void *bytes, size_t size);
/** Forgets the values and the failure. */
SKUA_API void skua_parameters_clear(skua_parameters *parameters);
SKUA_API void skua_parameters_free(skua_parameters *parameters);

/** @} @name Rows of parameters for execute_many
 *
 * Append each value of a row in order, then end the row; or append whole columns. Values are copied. All rows of one request
 * must fit into 128 MiB, or it fails with SKUA_LIMIT; beyond some thousand more rows in a request save no more time. Failures
 * are remembered, as those of parameters. @{ */

/**
 * For statements with `column_count` parameters, at most 32766. `names` are those of the parameters, that many, or NULL for
 * parameters without.
 */
SKUA_API skua_code skua_rows_new(size_t column_count, const char *const *names, skua_rows **rows, skua_error **error);
/** The next value of the row; sizes as for parameters. SKUA_USAGE if the row has all of its values. */
SKUA_API skua_code skua_rows_append_null(skua_rows *rows);
SKUA_API skua_code skua_rows_append_int64(skua_rows *rows, int64_t value);
SKUA_API skua_code skua_rows_append_double(skua_rows *rows, double value);
SKUA_API skua_code skua_rows_append_text(skua_rows *rows, const char *text, size_t size);
SKUA_API skua_code skua_rows_append_blob(skua_rows *rows, const void *bytes, size_t size);
/** SKUA_USAGE if the row is not complete. */
SKUA_API skua_code skua_rows_end_row(skua_rows *rows);
/**
 * Appends all rows of the columns, one column for each parameter, all of the same row_count: an array of pointers, as
 * skua_batch_column() returns them. SKUA_USAGE if a column contradicts itself, or a row was begun and not ended.
 */
SKUA_API skua_code skua_rows_append_columns(skua_rows *rows, const skua_column *const *columns, size_t column_count);
/** Complete rows. 0 for NULL. */
SKUA_API size_t skua_rows_count(const skua_rows *rows);
/** About the bytes that the rows have in a request. 0 for NULL. */
SKUA_API size_t skua_rows_byte_count(const skua_rows *rows);
/** Forgets the rows and the failure, keeps the memory. */
SKUA_API void skua_rows_clear(skua_rows *rows);
SKUA_API void skua_rows_free(skua_rows *rows);

/** @} @name Results: all rows of an execution, in memory @{ */

/** 0 for NULL. */
SKUA_API size_t skua_result_row_count(const skua_result *result);
/** 0 for NULL. */
SKUA_API size_t skua_result_column_count(const skua_result *result);
/** Lives as long as the result. NULL if there is no such column, or result. */
SKUA_API const char *skua_result_column_name(const skua_result *result, size_t column);
/** As in CREATE TABLE; "" for an expression. Otherwise as the name. */
SKUA_API const char *skua_result_declared_type(const skua_result *result, size_t column);
/** The first column of that name, ASCII letters without case. -1 if there is none. */
SKUA_API ptrdiff_t skua_result_find_column(const skua_result *result, const char *name);
/** One value; its bytes live as long as the result. SKUA_USAGE, and NULL in `value`, if there is no such row or column. */
SKUA_API skua_code skua_result_value(const skua_result *result, size_t row, size_t column, skua_value *value);
/** The rows are in this many batches. 0 for NULL. */
SKUA_API size_t skua_result_batch_count(const skua_result *result);
/** The rows of one of them by column, not copied. The batch may outlive the result. */
SKUA_API skua_code skua_result_batch(const skua_result *result, size_t index, skua_batch **batch, skua_error **error);
/** Lives as long as the result. NULL for NULL. */
SKUA_API const skua_summary *skua_result_summary(const skua_result *result);
SKUA_API void skua_result_free(skua_result *result);

/** @} @name Streams: the rows of a running execution @{ */

/** As those of results; known as soon as there is a stream. */
SKUA_API size_t skua_stream_column_count(const skua_stream *stream);
SKUA_API const char *skua_stream_column_name(const skua_stream *stream, size_t column);
SKUA_API const char *skua_stream_declared_type(const skua_stream *stream, size_t column);
SKUA_API ptrdiff_t skua_stream_find_column(const skua_stream *stream, const char *name);
/**
 * Waits for the next rows. At the end it returns SKUA_OK and stores NULL. After an error the rows so far were right, the rest
 * is not coming, and the error is repeated. The batch may outlive the stream.
 */
SKUA_API skua_code skua_stream_next_batch(skua_stream *stream, skua_batch **batch, skua_error **error);
/** NULL before the end. Lives as long as the stream. */
SKUA_API const skua_summary *skua_stream_summary(const skua_stream *stream);
/** Cancels what has not ended, and gives the daemon its resources back. */
SKUA_API void skua_stream_free(skua_stream *stream);

/** @} @name Batches: some rows of a result by column, in the memory they were received in @{ */

/** At least 1. 0 for NULL. */
SKUA_API size_t skua_batch_row_count(const skua_batch *batch);
/** 0 for NULL. */
SKUA_API size_t skua_batch_column_count(const skua_batch *batch);
/**
 * All rows of one column. The structure and all that it points to live until the batch is freed. NULL if there is no such
 * column. The layout is that of the values in it, and may be another in the next batch.
 */
SKUA_API const skua_column *skua_batch_column(const skua_batch *batch, size_t column);
/** One value; its bytes live until the batch is freed. SKUA_USAGE, and NULL in `value`, if there is no such row or column. */
SKUA_API skua_code skua_batch_value(const skua_batch *batch, size_t row, size_t column, skua_value *value);
/** The same of a column. */
SKUA_API skua_code skua_column_value(const skua_column *column, size_t row, skua_value *value);
SKUA_API void skua_batch_free(skua_batch *batch);

/** @} */

#ifdef __cplusplus
} /* extern "C" */
#endif
