#include "client/src/request.h"

#include <fmt/format.h>

#include "client/src/parameter_rows.h"
#include "protocol/codec.h"
#include "protocol/features.h"
#include "protocol/flat_message.h"
#include "protocol/limits.h"
#include "protocol/sql_lexer.h"

namespace skua {

static_assert(static_cast<int>(Durability::kRelaxed) == static_cast<int>(wire::Durability::RELAXED));
static_assert(static_cast<int>(TransactionMode::kRead) == static_cast<int>(wire::TransactionMode::READ));
static_assert(static_cast<int>(SavepointAction::kRollbackTo) ==
              static_cast<int>(wire::SavepointAction::ROLLBACK_TO));
static_assert(static_cast<int>(Outcome::kReturnedNone) == static_cast<int>(wire::Outcome::RETURNED_NONE));

static_assert(static_cast<int>(ValueKind::kNull) == static_cast<int>(wire::Parameter::NULL_));
static_assert(static_cast<int>(ValueKind::kInteger) == static_cast<int>(wire::Parameter::INTEGER));
static_assert(static_cast<int>(ValueKind::kReal) == static_cast<int>(wire::Parameter::REAL));
static_assert(static_cast<int>(ValueKind::kText) == static_cast<int>(wire::Parameter::TEXT));
static_assert(static_cast<int>(ValueKind::kBlob) == static_cast<int>(wire::Parameter::BLOB));

namespace {

// Upper bounds, in words, of what the wire structs need beside their text and data.
constexpr std::size_t kHeadWords = 24;
constexpr std::size_t kParameterWords = 6;
constexpr std::size_t kStepWords = 8;

std::size_t words_of(std::string_view bytes) { return bytes.size() / kWordBytes + 2; }

std::size_t words_of(const Parameters& parameters) {
  std::size_t words = 1;
  for (const Parameters::Entry& entry : parameters.entries()) {
    words += kParameterWords + words_of(entry.name) + words_of(ValueView::of(entry.value).bytes());
  }
  return words;
}

// A request in the making.
class Draft {
 public:
  Draft(const RequestHead& head, std::size_t words)
      : head_(head),
        frame_(kHeadWords + words_of(head.database) + words_of(head.idempotency_key) + words),
        root_(frame_.initRoot<wire::Request>()) {
    root_.setId(head.id);
    if (!head.database.empty()) fill_text(root_.initDatabase(size_of(head.database)), head.database);
    root_.setTransaction(head.transaction);
    root_.setDeadlineMs(head.deadline_ms);
    if (!head.idempotency_key.empty()) {
      const auto* bytes = reinterpret_cast<const kj::byte*>(head.idempotency_key.data());
      root_.setIdempotencyKey(kj::arrayPtr(bytes, head.idempotency_key.size()));
    }
  }

  static Status check_size(std::size_t words) {
    if (words <= kFrameBytesMax / kWordBytes - 2 * kHeadWords) return {};
    return make_error(ErrorCode::kLimit,
                      fmt::format("the request needs about {} bytes, the most is {} (frame_bytes_max)",
                                  words * kWordBytes, kFrameBytesMax));
  }

  static kj::uint size_of(std::string_view text) { return static_cast<kj::uint>(text.size()); }

  wire::Request::Builder& operator*() { return root_; }
  wire::Request::Builder* operator->() { return &root_; }
  Request finish(bool may_commit) { return {head_.id, head_.deadline_ms, may_commit, frame_.finish()}; }

 private:
  RequestHead head_;
  FrameBuilder frame_;
  wire::Request::Builder root_;
};

void write_parameters(const Parameters& parameters, capnp::List<wire::Parameter>::Builder out) {
  kj::uint i = 0;
  for (const Parameters::Entry& entry : parameters.entries()) {
    wire::Parameter::Builder parameter = out[i++];
    if (!entry.name.empty()) fill_text(parameter.initName(Draft::size_of(entry.name)), entry.name);
    write_parameter(ValueView::of(entry.value), parameter);
  }
}

// In words: of the structs Request, Execute and Parameter.
constexpr std::size_t kRequestData = 3, kRequestPointers = 3;
constexpr std::size_t kExecuteData = 2, kExecutePointers = 2;
constexpr std::size_t kParameterData = 2, kParameterPointers = 2;
// A list of structs has a word before the first.
constexpr std::size_t kTagWords = 1;

// Exactly what an execute takes that is laid out by hand: it is what most requests are.
std::size_t execute_words(const RequestHead& head, std::string_view sql, const Parameters& parameters) {
  std::size_t words = FlatWriter::kHeadWords + kRequestData + kRequestPointers + kExecuteData + kExecutePointers +
                      flat_text_words(sql.size()) + flat_bytes_words(head.idempotency_key.size());
  if (!head.database.empty()) words += flat_text_words(head.database.size());
  if (!parameters.empty()) words += kTagWords;
  for (const Parameters::Entry& entry : parameters.entries()) {
    words += kParameterData + kParameterPointers + flat_bytes_words(ValueView::of(entry.value).bytes().size());
    if (!entry.name.empty()) words += flat_text_words(entry.name.size());
  }
  return words;
}

void lay_out_parameters(const Parameters& parameters, std::uint64_t* pointer, FlatWriter& out) {
  std::uint64_t* at = out.add_structs(pointer, parameters.entries().size(), kParameterData, kParameterPointers);
  for (const Parameters::Entry& entry : parameters.entries()) {
    const ValueView value = ValueView::of(entry.value);
    std::uint64_t* const pointers = at + kParameterData;
    if (!entry.name.empty()) out.add_text(pointers, entry.name);
    at[0] = static_cast<std::uint64_t>(value.kind());
    switch (value.kind()) {
      case ValueKind::kNull: break;
      case ValueKind::kInteger: at[1] = static_cast<std::uint64_t>(value.integer()); break;
      case ValueKind::kReal: at[1] = std::bit_cast<std::uint64_t>(value.real()); break;
      case ValueKind::kText:
      case ValueKind::kBlob: out.add_data(pointers + 1, value.bytes()); break;
    }
    at += kParameterData + kParameterPointers;
  }
}

wire::Durability to_wire(Durability durability) { return static_cast<wire::Durability>(durability); }

// True for WITH ... SELECT and WITH ... VALUES; the text before `lexer` is WITH. What is in parentheses, as the body of each
// common table expression is, can only read.
bool with_reads(SqlLexer& lexer) {
  int depth = 0;
  for (SqlToken token = lexer.next(); token.kind != SqlToken::Kind::kEnd; token = lexer.next()) {
    if (token.kind == SqlToken::Kind::kOpen) ++depth;
    if (token.kind == SqlToken::Kind::kClose) --depth;
    if (depth != 0 || token.kind != SqlToken::Kind::kWord) continue;
    if (token.is_word("SELECT") || token.is_word("VALUES")) return true;
    for (const std::string_view word : {"INSERT", "REPLACE", "UPDATE", "DELETE"}) {
      if (token.is_word(word)) return false;
    }
  }
  return false;
}

// False if nothing of it can be on the disk when its answer is lost.
bool may_commit(std::string_view sql, bool in_transaction) {
  SqlLexer lexer(sql);
  SqlToken first = lexer.next();
  while (first.kind == SqlToken::Kind::kSemicolon) first = lexer.next();
  // RELEASE ends the transaction that a SAVEPOINT began.
  if (in_transaction) return first.is_word("COMMIT") || first.is_word("END") || first.is_word("RELEASE");
  if (first.is_word("WITH")) return !with_reads(lexer);
  return !first.is_word("SELECT") && !first.is_word("VALUES") && !first.is_word("EXPLAIN");
}

}  // namespace

Result<Request> hello_request(std::uint64_t id, std::string_view client_name) {
  const std::size_t words = words_of(client_name);
  SKUA_TRY(Draft::check_size(words));
  Draft draft(RequestHead{id, {}, 0, 0}, words);
  auto hello = draft->initHello();
  hello.setVersionMin(kProtocolVersionMin);
  hello.setVersionMax(kProtocolVersionMax);
  hello.setFeatures(kFeatures);
  fill_text(hello.initClientName(Draft::size_of(client_name)), client_name);
  return draft.finish(false);
}

Result<Request> ping_request(const RequestHead& head) {
  SKUA_TRY(Draft::check_size(words_of(head.database)));
  Draft draft(head, 0);
  draft->setPing();
  return draft.finish(false);
}

Result<Request> stats_request(const RequestHead& head) {
  SKUA_TRY(Draft::check_size(words_of(head.database)));
  Draft draft(head, 0);
  draft->setStats();
  return draft.finish(false);
}

Result<Request> backup_request(const RequestHead& head) {
  SKUA_TRY(Draft::check_size(words_of(head.database)));
  Draft draft(head, 0);
  draft->setBackup();
  return draft.finish(false);
}

Result<Request> rings_request(const RequestHead& head) {
  Draft draft(head, 0);
  draft->setRings();
  return draft.finish(false);
}

Result<Request> locks_request(const RequestHead& head) {
  SKUA_TRY(Draft::check_size(words_of(head.database)));
  Draft draft(head, 0);
  draft->setLocks();
  return draft.finish(false);
}

Result<Request> execute_request(const RequestHead& head, std::string_view sql, const Parameters& parameters,
                                std::uint32_t window_bytes, Durability durability, std::uint64_t known_columns) {
  const std::size_t words = execute_words(head, sql, parameters);
  SKUA_TRY(Draft::check_size(words));
  Request request{head.id, head.deadline_ms, may_commit(sql, head.transaction != 0), Frame::uninitialised(words)};
  FlatWriter out(request.frame, words);
  std::uint64_t* const root = out.add_struct(out.root(), kRequestData, kRequestPointers);
  root[0] = head.id;
  root[1] = head.transaction | std::uint64_t{head.deadline_ms} << 32;
  root[2] = static_cast<std::uint64_t>(wire::Request::EXECUTE);
  std::uint64_t* const pointers = root + kRequestData;
  if (!head.database.empty()) out.add_text(pointers, head.database);
  std::uint64_t* const execute = out.add_struct(pointers + 1, kExecuteData, kExecutePointers);
  execute[0] = window_bytes | static_cast<std::uint64_t>(durability) << 32;
  execute[1] = known_columns;
  out.add_text(execute + kExecuteData, sql);
  if (!parameters.empty()) lay_out_parameters(parameters, execute + kExecuteData + 1, out);
  if (!head.idempotency_key.empty()) out.add_data(pointers + 2, head.idempotency_key);
  return request;
}

Result<Request> execute_many_request(const RequestHead& head, std::string_view sql, const ParameterRows& rows,
                                     Durability durability, bool independent) {
  std::size_t words = words_of(sql) + rows.rows().words_max() + 1;
  for (const std::string& name : rows.names()) words += words_of(name);
  SKUA_TRY(Draft::check_size(words + words_of(head.database)));
  Draft draft(head, words);
  auto execute = draft->initExecuteMany();
  fill_text(execute.initSql(Draft::size_of(sql)), sql);
  if (!rows.names().empty()) {
    auto names = execute.initNames(static_cast<kj::uint>(rows.names().size()));
    for (kj::uint i = 0; i < names.size(); ++i) {
      fill_text(names.init(i, Draft::size_of(rows.names()[i])), rows.names()[i]);
    }
  }
  rows.rows().write(execute.initRows());
  execute.setDurability(to_wire(durability));
  execute.setIndependent(independent);
  return draft.finish(head.transaction == 0);
}

Result<Request> program_request(const RequestHead& head, const Program& program, Durability durability) {
  std::size_t words = 2;
  for (const Program::Step& step : program.steps) {
    words += kStepWords + words_of(step.sql) + words_of(step.parameters) + step.requirements.size() + 1;
  }
  SKUA_TRY(Draft::check_size(words + words_of(head.database)));
  Draft draft(head, words);
  auto out = draft->initProgram();
  auto steps = out.initSteps(static_cast<kj::uint>(program.steps.size()));
  for (kj::uint i = 0; i < steps.size(); ++i) {
    const Program::Step& step = program.steps[i];
    fill_text(steps[i].initSql(Draft::size_of(step.sql)), step.sql);
    const auto parameter_count = static_cast<kj::uint>(step.parameters.entries().size());
    if (parameter_count > 0) write_parameters(step.parameters, steps[i].initParameters(parameter_count));
    auto requirements = steps[i].initRequirements(static_cast<kj::uint>(step.requirements.size()));
    for (kj::uint j = 0; j < requirements.size(); ++j) {
      requirements[j].setStep(step.requirements[j].step);
      requirements[j].setOutcome(static_cast<wire::Outcome>(step.requirements[j].outcome));
    }
    steps[i].setMayFail(step.may_fail);
  }
  out.setIndependent(!program.atomic);
  out.setDurability(to_wire(durability));
  return draft.finish(head.transaction == 0);
}

Result<Request> begin_request(const RequestHead& head, TransactionMode mode, Durability durability) {
  SKUA_TRY(Draft::check_size(words_of(head.database)));
  Draft draft(head, 0);
  auto begin = draft->initBegin();
  begin.setMode(static_cast<wire::TransactionMode>(mode));
  begin.setOnError(wire::TransactionErrorMode::KEEP);
  begin.setDurability(to_wire(durability));
  return draft.finish(false);
}

Result<Request> begin_group_request(const RequestHead& head, std::span<const std::uint32_t> siblings) {
  const std::size_t words = siblings.size() / 2 + 1;
  SKUA_TRY(Draft::check_size(words_of(head.database) + words));
  Draft draft(head, words);
  auto begin = draft->initBegin();
  begin.setMode(wire::TransactionMode::READ);
  begin.setOnError(wire::TransactionErrorMode::KEEP);
  auto out = begin.initSiblings(static_cast<kj::uint>(siblings.size()));
  for (kj::uint i = 0; i < out.size(); ++i) out.set(i, siblings[i]);
  return draft.finish(false);
}

Result<Request> commit_request(const RequestHead& head) {
  SKUA_TRY(Draft::check_size(words_of(head.database)));
  Draft draft(head, 0);
  draft->setCommit();
  return draft.finish(true);
}

Result<Request> rollback_request(const RequestHead& head) {
  SKUA_TRY(Draft::check_size(words_of(head.database)));
  Draft draft(head, 0);
  draft->setRollback();
  return draft.finish(false);
}

Result<Request> savepoint_request(const RequestHead& head, std::string_view name, SavepointAction action) {
  const std::size_t words = words_of(name);
  SKUA_TRY(Draft::check_size(words + words_of(head.database)));
  Draft draft(head, words);
  auto savepoint = draft->initSavepoint();
  fill_text(savepoint.initName(Draft::size_of(name)), name);
  savepoint.setAction(static_cast<wire::SavepointAction>(action));
  return draft.finish(false);
}

Result<Request> describe_request(const RequestHead& head, std::string_view sql) {
  const std::size_t words = words_of(sql);
  SKUA_TRY(Draft::check_size(words + words_of(head.database)));
  Draft draft(head, words);
  fill_text(draft->initDescribe().initSql(Draft::size_of(sql)), sql);
  return draft.finish(false);
}

Request grant_request(std::uint64_t id, std::uint64_t request, std::uint64_t bytes) {
  Draft draft(RequestHead{id, {}, 0, 0}, 0);
  auto grant = draft->initGrant();
  grant.setRequest(request);
  grant.setBytes(bytes);
  return draft.finish(false);
}

Request cancel_request(std::uint64_t id, std::uint64_t request) {
  Draft draft(RequestHead{id, {}, 0, 0}, 0);
  draft->initCancel().setRequest(request);
  return draft.finish(false);
}

}  // namespace skua
