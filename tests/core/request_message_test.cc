// RequestMessage: what is read by hand is what Cap'n Proto reads, in whole requests and damaged ones.
#include "daemon/core/request_message.h"

#include <criterion/criterion.h>

#include <string>

#include "tests/support/random.h"

using namespace skua;
using namespace skua::test;

namespace {

std::string maybe(Random& random, std::string_view text) { return random.one_in(2) ? std::string(text) : std::string(); }

Frame random_request(Random& random) {
  FrameBuilder frame;
  auto root = frame.initRoot<wire::Request>();
  root.setId(random.word());
  if (const std::string name = maybe(random, "shop"); !name.empty()) fill_text(root.initDatabase(4), name);
  root.setTransaction(static_cast<std::uint32_t>(random.word()));
  root.setDeadlineMs(static_cast<std::uint32_t>(random.word()));
  if (random.one_in(3)) root.setIdempotencyKey(data_of("key"));
  switch (random.between(0, 4)) {
    case 0: root.setPing(); break;
    case 1: root.initGrant().setBytes(5); break;
    case 2: root.initProgram().initSteps(2); break;
    default: {
      auto execute = root.initExecute();
      const std::string sql = random.bytes(static_cast<std::size_t>(random.between(0, 40)));
      fill_text(execute.initSql(static_cast<kj::uint>(sql.size())), sql);
      execute.setWindowBytes(static_cast<std::uint32_t>(random.word()));
      execute.setKnownColumns(random.word());
      auto parameters = execute.initParameters(static_cast<kj::uint>(random.between(0, 3)));
      for (auto parameter : parameters) parameter.setInteger(static_cast<std::int64_t>(random.word()));
    }
  }
  return frame.finish();
}

void expect_same(const RequestMessage& message) {
  const RequestMessage::Head& head = message.head();
  const wire::Request::Reader root = message.root();
  cr_assert_eq(head.id, root.getId());
  cr_assert_eq(head.kind, root.which());
  cr_assert_eq(head.transaction, root.getTransaction());
  cr_assert_eq(head.deadline_ms, root.getDeadlineMs());
  cr_assert(head.database == view_of(root.getDatabase()));
  cr_assert_eq(head.has_key, root.hasIdempotencyKey());
  if (head.kind != wire::Request::EXECUTE) return;
  const RequestMessage::Execute execute = message.execute();
  const wire::Execute::Reader in = root.getExecute();
  cr_assert(execute.sql == view_of(in.getSql()));
  cr_assert_eq(execute.window_bytes, in.getWindowBytes());
  cr_assert_eq(execute.known_columns, in.getKnownColumns());
  cr_assert_eq(execute.parameters.size(), in.getParameters().size());
}

}  // namespace

Test(request_message, reads_by_hand_what_capnp_reads) {
  Random random;
  for (int i = 0; i < 5'000; ++i) {
    const Frame frame = random_request(random);
    if (frame.view().size() <= RequestMessage::kInlineWords) expect_same(RequestMessage(frame.view()));
    expect_same(RequestMessage(Frame::copy_of(frame.view())));
  }
}

// What cannot be read throws, before anything is known of it or when the rest is read; what can be is the same both ways.
Test(request_message, reads_damaged_requests_as_capnp_does) {
  Random random;
  int read = 0;
  for (int i = 0; i < 50'000; ++i) {
    Frame frame = random_request(random);
    auto* words = reinterpret_cast<std::uint64_t*>(frame.words());
    std::uint64_t& word = words[random.between(0, static_cast<std::int64_t>(frame.view().size()) - 1)];
    word = random.one_in(2) ? random.word() : word ^ std::uint64_t{1} << random.between(0, 63);
    const Status status = guarded([&]() -> Status {
      const RequestMessage message(std::move(frame));
      expect_same(message);
      ++read;
      return {};
    });
    if (!status) cr_assert_eq(status.error().code, ErrorCode::kProtocol);
  }
  cr_assert_geq(read, 12'500);
}
