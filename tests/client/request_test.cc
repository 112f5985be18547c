// What the client's calls send.
#include <criterion/criterion.h>

#include "client/src/parameter_rows.h"
#include "client/src/request.h"
#include "tests/client/fake_daemon.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

Test(request, ids_rise_from_the_hello_on) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  for (std::uint64_t id = 2; id < 5; ++id) {
    daemon.send_done(id);
    must(connection.ping());
    ReceivedRequest request = daemon.receive();
    cr_assert_eq(request.root().getId(), id);
    cr_assert(request.root().isPing());
  }
}

Test(request, execute_carries_its_options_and_parameters) {
  FakeDaemon daemon;
  Connection connection = daemon.connect({.database = "standard"});
  daemon.send_done(2);
  must(connection.execute("SELECT :a", Parameters().set(":a", 1).set("b", "zwei").set("c", nullptr),
                          RequestOptions().with_deadline_ms(900).with_durability(Durability::kRelaxed).with_window_bytes(77)));
  ReceivedRequest request = daemon.receive();
  auto root = request.root();
  cr_assert(root.getDatabase() == "standard");
  cr_assert_eq(root.getTransaction(), 0);
  cr_assert_eq(root.getDeadlineMs(), 900);
  auto execute = root.getExecute();
  cr_assert(execute.getSql() == "SELECT :a");
  cr_assert_eq(execute.getWindowBytes(), 77);
  cr_assert(execute.getDurability() == wire::Durability::RELAXED);
  cr_assert_eq(execute.getParameters().size(), 3);
  cr_assert(execute.getParameters()[0].getName() == ":a");
  cr_assert_eq(execute.getParameters()[0].getInteger(), 1);
  cr_assert(view_of(execute.getParameters()[1].getText()) == "zwei");
  cr_assert(execute.getParameters()[2].isNull());

  daemon.send_done(3);
  must(connection.execute("SELECT 1", {}, RequestOptions().with_database("another")));
  cr_assert(daemon.receive().root().getDatabase() == "another");
}

Test(request, positional_parameters_have_no_names) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send_done(2);
  must(connection.execute("SELECT ?, ?, ?, ?", Parameters::of(2.5, Blob{"\xff"}, true, std::optional<int>())));
  ReceivedRequest request = daemon.receive();
  const auto parameters = request.root().getExecute().getParameters();
  cr_assert_eq(parameters.size(), 4);
  cr_assert(!parameters[0].hasName());
  cr_assert_eq(parameters[0].getReal(), 2.5);
  cr_assert(view_of(parameters[1].getBlob()) == "\xff");
  cr_assert_eq(parameters[2].getInteger(), 1);
  cr_assert(parameters[3].isNull());
}

Test(request, execute_many_carries_its_rows) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  ParameterRows rows(2, {"id", "name"});
  for (std::int64_t id = 0; id < 10; ++id) {
    rows.append(ValueView::integer(id));
    rows.append(ValueView::text("name"));
    rows.end_row();
  }
  Summary summary;
  summary.changes = 10;
  daemon.send_done(2, summary);
  cr_assert_eq(must(connection.execute_many("INSERT INTO t VALUES (:id, :name)", rows)).changes, 10);
  ReceivedRequest request = daemon.receive();
  auto execute = request.root().getExecuteMany();
  cr_assert(execute.getNames()[1] == "name");
  const RowBatchReader reader = must(RowBatchReader::open(execute.getRows()));
  cr_assert_eq(reader.row_count(), 10);
  cr_assert_eq(reader.at(9, 0).integer(), 9);
}

Test(request, program_carries_its_steps_and_its_replies) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  Program program;
  program.steps.push_back(
      {.sql = "SELECT ?", .parameters = Parameters::of(1), .requirements = {}, .may_fail = true});
  program.steps.push_back({.sql = "SELECT 2", .parameters = {}, .requirements = {{0, Outcome::kReturnedNone}}});
  program.steps.push_back({.sql = "bad", .parameters = {}, .requirements = {}});
  program.atomic = false;
  daemon.send(response(2, [](wire::Response::Builder root) {
    auto steps = root.initProgram().initSteps(3);
    auto rows = steps[0].initRows();
    write_columns({{"n", ""}}, rows.initColumns(1));
    RowBatchBuilder batch(1);
    batch.append_integer(7);
    batch.end_row();
    batch.write(rows.initBatch());
    rows.initDone().setChanges(4);
    steps[1].setSkipped();
    write_error(make_error(ErrorCode::kSql, "no"), steps[2].initError());
  }));
  const ProgramResult result = must(connection.run(program));
  cr_assert_eq(result.steps.size(), 3);
  cr_assert(numbers_in(result.steps[0].rows) == std::vector<std::int64_t>({7}));
  cr_assert_eq(result.steps[0].rows.summary().changes, 4);
  cr_assert(result.steps[1].skipped && !result.steps[1].error);
  cr_assert(result.steps[2].error && result.steps[2].error->code == ErrorCode::kSql);

  ReceivedRequest request = daemon.receive();
  auto sent = request.root().getProgram();
  cr_assert(sent.getIndependent());
  cr_assert(sent.getSteps()[0].getMayFail());
  cr_assert_eq(sent.getSteps()[0].getParameters().size(), 1);
  cr_assert(sent.getSteps()[1].getRequirements()[0].getOutcome() == wire::Outcome::RETURNED_NONE);
}

Test(request, describe_and_stats_are_answered_in_their_own_ways) {
  FakeDaemon daemon;
  Connection connection = daemon.connect();
  daemon.send(response(2, [](wire::Response::Builder root) {
    auto description = root.initDescription();
    write_columns({{"id", "INTEGER"}}, description.initColumns(1));
    description.initParameters(2).set(1, ":b");
    description.setReadOnly(true);
  }));
  const Description description = must(connection.describe("SELECT id FROM t WHERE a = ? AND b = :b"));
  cr_assert(description.columns[0].declared_type == "INTEGER");
  cr_assert(description.parameters == std::vector<std::string>({"", ":b"}));
  cr_assert(description.read_only);

  daemon.send_rows(3, {.numbers = {5}, .is_first = true, .is_last = true});
  cr_assert(numbers_in(must(connection.stats())) == std::vector<std::int64_t>({5}));
}

Test(request, locks_are_read_as_they_were_sent) {
  FakeDaemon daemon;
  Connection connection = daemon.connect({.database = "shop"});
  daemon.send(response(2, [](wire::Response::Builder root) {
    auto databases = root.initLocks().initDatabases(2);
    databases[0].setDatabase("shop");
    databases[0].initHolder().setHeldUs(7);
    databases[0].setWaitingCount(3);
    databases[0].initWaiting(1)[0].initPeer().setPid(77);
    databases[1].setDatabase("free");
  }));
  const std::vector<DatabaseLock> locks = must(connection.locks());
  ReceivedRequest request = daemon.receive();
  cr_assert(request.root().isLocks());
  cr_assert(request.root().getDatabase() == "shop");
  cr_assert_eq(locks.size(), 2);
  cr_assert(locks[0].holder && !locks[0].holder->peer && locks[0].holder->held_us == 7);
  cr_assert_eq(locks[0].waiting.at(0).peer->pid, 77);
  cr_assert_eq(locks[0].waiting_count, 3);
  cr_assert(locks[1].database == "free" && !locks[1].holder);
}

Test(request, too_large_for_a_frame_is_refused_before_it_is_sent) {
  const RequestHead head{2, {}, 0, 0};
  const std::string half(kFrameBytesMax / 2 - 1'000, 'x');
  cr_assert(execute_request(head, half, Parameters::of(half), 0, Durability::kFull).has_value());
  const std::string more(kFrameBytesMax / 2 + 1'000, 'x');
  const auto request = execute_request(head, half, Parameters::of(more), 0, Durability::kFull);
  cr_assert(!request);
  cr_assert_eq(request.error().code, ErrorCode::kLimit);
  cr_assert(request.error().message.find("frame_bytes_max") != std::string::npos);
}

Test(request, fits_the_segment_that_was_guessed_for_it) {
  // One segment: no copy at the end. The header's first word counts the segments less one.
  ParameterRows rows(3, {"a", "bb", "ccc"});
  for (int i = 0; i < 1'000; ++i) {
    rows.append(ValueView::integer(i));
    if (i % 3 == 0)
      rows.append(ValueView::null());
    else
      rows.append(ValueView::text("text"));
    if (i % 2 == 0)
      rows.append(ValueView::real(i));
    else
      rows.append(ValueView::blob("blob"));
    rows.end_row();
  }
  Parameters parameters;
  for (int i = 0; i < 100; ++i)
    parameters.set("parameter" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'x'));
  Program program;
  for (int i = 0; i < 50; ++i)
    program.steps.push_back({.sql = "SELECT 1", .parameters = parameters, .requirements = {{0, {}}, {1, {}}}});
  const RequestHead head{2, "database", 1, 5};
  const Result<Request> requests[] = {hello_request(1, "client"),
                                      ping_request(head),
                                      stats_request(head),
                                      locks_request(head),
                                      begin_request(head, {}, {}),
                                      begin_group_request(head, {}),
                                      commit_request(head),
                                      rollback_request(head),
                                      savepoint_request(head, "savepoint", SavepointAction::kSet),
                                      describe_request(head, "SELECT 1"),
                                      execute_request(head, "SELECT 1", parameters, 0, {}),
                                      execute_many_request(head, "SELECT 1", rows, {}),
                                      program_request(head, program, {}),
                                      grant_request(3, 2, 100),
                                      cancel_request(4, 2)};
  for (const Result<Request>& request : requests) {
    cr_assert(request.has_value());
    std::uint32_t segments_less_one = 0;
    std::memcpy(&segments_less_one, request->frame.bytes().data(), sizeof(segments_less_one));
    cr_assert_eq(segments_less_one, 0);
  }
}
