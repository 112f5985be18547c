# The wire schema of Skua. A session is a stream of Request messages one way and Response messages
# the other, in Cap'n Proto's standard stream framing, never packed. docs/PROTOCOL.md tells the story;
# this file is the reference. It changes only by Cap'n Proto's evolution rules: fields and union
# members are added at the end, and nothing is renumbered, retyped or removed.

@0xc4a9d1e65b2f7083;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("skua::wire");

const protocolVersion :UInt16 = 1;
# The newest version of the protocol that this schema describes.

const featureSiblings :UInt64 = 0x1;
# A bit of `features`: `Begin.siblings`.
const featureRings :UInt64 = 0x2;
# Another: `Request.rings`.
const featureRingBells :UInt64 = 0x4;
# Another: `Request.rings` may be sent while other requests are under way, and a client that sleeps at its ring may ask for a bell.

struct Request {
  id @0 :UInt64;
  # Chosen by the client: at least 1, and greater than every id it used before in this session.

  database @1 :Text;
  # The database's name in the daemon's configuration. Empty: the only one, or an error if there are several.

  transaction @2 :UInt32;
  # The transaction this request belongs to, a number the client chose in `begin`.
  # 0 means none: every statement is its own transaction, unless `BEGIN` was executed as SQL text with
  # transaction 0, which opens the session's own unnumbered transaction.

  deadlineMs @3 :UInt32;
  # Milliseconds from arrival at the daemon after which the request is ended with `deadline`. 0: none.

  union {
    hello @4 :Hello;
    ping @5 :Void;
    execute @6 :Execute;
    executeMany @7 :ExecuteMany;
    program @8 :Program;
    begin @9 :Begin;
    commit @10 :Void;
    rollback @11 :Void;
    savepoint @12 :Savepoint;
    describe @13 :Describe;
    grant @14 :Grant;
    cancel @15 :Cancel;
    stats @16 :Void;
    locks @18 :Void;
    backup @19 :Void;
    # A consistent copy of the database, in the pages of its file: `progress`, then rows of one blob column, streamed.
    rings @20 :Void;
    # Memory for this session to share with its client. Answered by `done`, with the descriptor of that memory beside it (unix(7),
    # SCM_RIGHTS); docs/PROTOCOL.md tells what then changes. Once, and only if the daemon's hello has `featureRings`; without
    # `featureRingBells` while nothing else of the session is under way.
  }

  idempotencyKey @17 :Data;
  # For execute, executeMany and program outside of a transaction. A request with a key the database has seen is not run
  # again: it is answered as the first one was. Absent: none.
}

struct Response {
  id @0 :UInt64;
  # The request this answers. 0: the session as a whole (a frame that could not be read); the daemon closes it.

  union {
    error @1 :Error;
    # Ends the request.
    hello @2 :HelloReply;
    # Ends the request.
    rows @3 :Rows;
    # Ends the request when `rows.done` is present; more follow when it is not.
    done @4 :Done;
    # Ends the request.
    program @5 :ProgramReply;
    # Ends the request.
    description @6 :Description;
    # Ends the request.
    locks @7 :Locks;
    # Ends the request.
    progress @8 :Progress;
    # More follow.
  }
}

# ---- session

struct Hello {
  # Must be the first request of a session.
  versionMin @0 :UInt16;
  versionMax @1 :UInt16;
  # The range of protocol versions that the client speaks.
  clientName @2 :Text;
  # For people: shown in the daemon's log and statistics.
  features @3 :UInt64;
  # A bit set of the optional features that the client understands: the constants `feature...` above.
}

struct HelloReply {
  version @0 :UInt16;
  # The version both will speak.
  features @1 :UInt64;
  # What the daemon has.
  serverVersion @2 :Text;
  sqliteVersion @3 :Text;
  sessionId @4 :UInt64;
  limits @5 :List(Limit);
  databases @6 :List(Text);
}

struct Limit {
  name @0 :Text;
  value @1 :UInt64;
}

struct Grant {
  # Adds credit to a stream. Has no response unless it is refused.
  request @0 :UInt64;
  bytes @1 :UInt64;
}

struct Cancel {
  # Answered by `done` at once. The cancelled request ends by itself: with `cancelled`, or as it would have
  # ended if the cancel came too late.
  request @0 :UInt64;
}

# ---- statements

enum Durability {
  full @0;
  # Acknowledged after it was synced to the disk.
  relaxed @1;
  # Acknowledged after it was written to the write-ahead log; a power failure may undo it, a crash of the daemon not.
}

struct Parameter {
  name @0 :Text;
  # As in the SQL text, with or without its prefix (`:`, `@`, `$`). Absent: positional, in order from 1.
  # Either all parameters of a statement are named or none is.
  union {
    null @1 :Void;
    integer @2 :Int64;
    real @3 :Float64;
    # NaN becomes NULL, because SQLite has no NaN.
    text @4 :Data;
    # UTF-8, not checked; may contain NUL.
    blob @5 :Data;
  }
}

struct Execute {
  # Exactly one statement; anything after it but white space, comments and semicolons is an error.
  sql @0 :Text;
  parameters @1 :List(Parameter);
  windowBytes @2 :UInt32;
  # The first credit: how many bytes of `rows` messages the daemon may send before the first `grant`.
  # 0: the daemon's default. The message that crosses the limit is still sent whole.
  durability @3 :Durability;
  knownColumns @4 :UInt64;
  # A `columnsId` that the client has seen, most likely when it executed the same SQL before: if the result's columns are the
  # same, they need not be sent again. 0: none.
}

struct ExecuteMany {
  # One statement executed once for each row of parameters, in one transaction.
  sql @0 :Text;
  names @1 :List(Text);
  # The columns' parameter names. Empty: positional.
  rows @2 :RowBatch;
  durability @3 :Durability;
  independent @4 :Bool;
  # False: all rows or none. True, outside of a transaction: the rows are committed in slices, and others write in between; an
  # error tells by its row what is done: all rows before it.
}

struct Describe {
  sql @0 :Text;
}

struct Description {
  columns @0 :List(ColumnInfo);
  parameters @1 :List(Text);
  # The parameters' names with their prefix, in order from 1; empty for a `?`.
  readOnly @2 :Bool;
}

# ---- programs

enum Outcome {
  succeeded @0;
  failed @1;
  skipped @2;
  changedRows @3;
  # Succeeded, and changed at least one row.
  returnedRows @4;
  # Succeeded, and returned at least one row.
  changedNone @5;
  # Succeeded, and changed no row.
  returnedNone @6;
  # Succeeded, and returned no row.
}

struct Requirement {
  step @0 :UInt16;
  # Must be an earlier step.
  outcome @1 :Outcome;
}

struct Step {
  sql @0 :Text;
  parameters @1 :List(Parameter);
  requirements @2 :List(Requirement);
  # The step runs if all hold, and is skipped otherwise.
  mayFail @3 :Bool;
  # In an atomic program: an error of this step undoes this step only and the program goes on.
}

struct Program {
  steps @0 :List(Step);
  independent @1 :Bool;
  # False: atomic. All steps take effect or none does, and the first error that is not allowed for ends it.
  # True: each step is its own transaction; an error skips nothing but the steps that require success.
  durability @2 :Durability;
}

struct StepReply {
  union {
    skipped @0 :Void;
    error @1 :Error;
    rows @2 :Rows;
  }
}

struct ProgramReply {
  steps @0 :List(StepReply);
  transaction @1 :TransactionState;
}

# ---- transactions

enum TransactionMode {
  write @0;
  read @1;
}

enum TransactionErrorMode {
  abort @0;
  # The first failed request rolls the transaction back; later ones are refused until `rollback`. This makes it
  # safe to send begin, statements and commit without waiting in between.
  keep @1;
  # A failed statement undoes itself only, as in SQLite. Errors that end the transaction in SQLite still do.
}

struct Begin {
  # Opens the transaction numbered by `Request.transaction`, which must not be 0 nor in use.
  mode @0 :TransactionMode;
  onError @1 :TransactionErrorMode;
  durability @2 :Durability;
  # Of its commit.
  siblings @3 :List(UInt32);
  # Numbers of further transactions, unused and each another one, that are opened together with this one, all or none, and see
  # exactly the same state of the database. For mode `read`. Only if the daemon's hello has `featureSiblings`: one without it
  # opens the transaction alone.
}

enum SavepointAction {
  set @0;
  release @1;
  rollbackTo @2;
}

struct Savepoint {
  name @0 :Text;
  action @1 :SavepointAction;
}

enum TransactionState {
  none @0;
  # No transaction is open under the request's transaction number.
  open @1;
  aborted @2;
  # Rolled back by the daemon; every request in it but `rollback` is refused.
}

# ---- results

struct ColumnInfo {
  name @0 :Text;
  declaredType @1 :Text;
  # As in CREATE TABLE; absent for an expression.
}

struct Rows {
  columns @0 :List(ColumnInfo);
  # Only in a request's first Rows, and left out there if their id is the `knownColumns` of the request.
  batch @1 :RowBatch;
  done @2 :Done;
  # Only in the last.
  columnsId @3 :UInt64;
  # Only in a request's first Rows: tells columns of these names and declared types, in this order, from all others. 0: no id.
}

struct Done {
  changes @0 :UInt64;
  # Rows inserted, updated or deleted by this request itself, not by triggers.
  lastInsertRowid @1 :Int64;
  # The rowid of the last row this request inserted; 0 if it inserted none.
  transaction @2 :TransactionState;
  rowCount @3 :UInt64;
  # Rows returned over all batches.
  serverUs @4 :UInt64;
  # Microseconds from arrival to the end.
}

struct RowBatch {
  # Rows by column. Used for results and, the other way, for the parameter rows of executeMany.
  rowCount @0 :UInt32;
  columns @1 :List(Column);
}

struct Column {
  nulls @0 :Data;
  # Bit (i % 8) of byte (i / 8) is set when row i is NULL. Absent: no row is, unless the column is `allNull`.
  union {
    allNull @1 :Void;
    integers @2 :List(Int64);
    # One for each row, 0 where NULL; so too below.
    reals @3 :List(Float64);
    texts @4 :Bytes;
    blobs @5 :Bytes;
    mixed @6 :Mixed;
  }
}

struct Bytes {
  ends @0 :List(UInt32);
  # Row i is data[ends[i-1] .. ends[i]), starting at 0 for row 0.
  data @1 :Data;
}

struct Mixed {
  # A column whose values are of different types. `nulls` is not used.
  kinds @0 :Data;
  # One byte a row: 0 NULL, 1 integer, 2 real, 3 text, 4 blob.
  words @1 :List(UInt64);
  # One a row: the integer, the bits of the real, or (offset << 32 | length) into data; 0 where NULL.
  data @2 :Data;
}

# ---- administration

struct Locks {
  databases @0 :List(DatabaseLock);
}

struct DatabaseLock {
  # Who has the one writer of a database, and who waits for it.
  database @0 :Text;
  holder @1 :LockHolder;
  # Absent: nobody.
  waiting @2 :List(LockWaiter);
  # In the order of their turns; the first 100.
  waitingCount @3 :UInt32;
  # All of them.
}

struct Peer {
  session @0 :UInt64;
  pid @1 :Int32;
  uid @2 :UInt32;
  command @3 :Text;
  # Of the process, from /proc/PID/comm.
  clientName @4 :Text;
}

struct LockHolder {
  peer @0 :Peer;
  # Absent when the session is gone.
  transaction @1 :UInt32;
  # The client's number; 0 for BEGIN as SQL text, and for writes outside of transactions.
  inTransaction @2 :Bool;
  heldUs @3 :UInt64;
  idleUs @4 :UInt64;
  # Since its last request ended; 0 while one runs.
  firstSql @5 :Text;
  # The first 1,000 bytes, as below.
  lastSql @6 :Text;
  requests @7 :UInt64;
}

struct LockWaiter {
  peer @0 :Peer;
  waitedUs @1 :UInt64;
  sql @2 :Text;
  opensTransaction @3 :Bool;
}

struct Progress {
  done @0 :UInt64;
  total @1 :UInt64;
  # May grow. In pages of the file.
}

# ---- errors

enum ErrorCode {
  # What to do next.
  internal @0;
  # A defect of the daemon: report it.
  protocol @1;
  # The client broke the protocol: fix the client.
  version @2;
  # No common protocol version: update the older side.
  sql @3;
  # Fix the SQL.
  constraint @4;
  # The data breaks a constraint.
  parameter @5;
  # The parameters do not fit the statement.
  notFound @6;
  # There is no such database: fix the name.
  access @7;
  # Refused to this user or never allowed.
  limit @8;
  # A named limit was passed: ask for less or raise it.
  cancelled @9;
  # The client cancelled it.
  deadline @10;
  # Its deadline passed: retry with more time.
  unavailable @11;
  # Not now: retry later, or somewhere else.
  transactionAborted @12;
  # Rolled back by the daemon: say rollback, then restart the transaction.
  transactionState @13;
  # Not allowed in the present state of the transaction: fix the order of requests.
  readOnly @14;
  # A write where only reads are allowed.
  diskFull @15;
  # Free some space, then retry.
  io @16;
  # The disk or the file failed: look at the daemon's log.
  corrupt @17;
  # The file is damaged or not a database: restore it.
}

struct Error {
  code @0 :ErrorCode;
  sqliteCode @1 :Int32;
  # SQLite's extended result code, 0 if SQLite had no part in it.
  sqlOffset @2 :Int32 = -1;
  # Byte offset in the SQL text, -1 if unknown.
  message @3 :Text;
  # For people; never parsed.
  transaction @4 :TransactionState;
  row @5 :Int64 = -1;
  # executeMany: the parameter row that failed; program: the step; from 0. -1 otherwise.
}
