// Frames whose message is malformed, lies about its sizes, or says things that this version of the schema does
// not know.
#include <criterion/criterion.h>

#include <array>
#include <functional>

#include "protocol/limits.h"
#include "tests/system/bad_input.h"

using namespace skua;
using namespace skua::test;

namespace {

// A list's length has 29 bits.
constexpr std::uint32_t kListElementsMax = (1u << 29) - 1;

// capnproto.org/encoding.html#lists
enum class ElementSize : std::uint32_t {
  kVoid = 0,
  kBit = 1,
  kByte = 2,
  kEightBytes = 5,
  kPointer = 6,
  kComposite = 7
};

std::uint64_t list_pointer(std::int32_t offset_words, ElementSize size, std::uint32_t count) {
  const auto low = static_cast<std::uint32_t>(offset_words) << 2 | 1u;
  const std::uint32_t high = count << 3 | static_cast<std::uint32_t>(size);
  return std::uint64_t{high} << 32 | low;
}

std::uint64_t word_at(const Frame& frame, std::size_t index) {
  std::uint64_t word = 0;
  std::memcpy(&word, frame.bytes().data() + index * kWordBytes, kWordBytes);
  return word;
}

void set_word(Frame& frame, std::size_t index, std::uint64_t word) {
  std::memcpy(static_cast<void*>(frame.words() + index), &word, kWordBytes);
}

// The index of the only list pointer of this kind and count.
std::size_t find_list(const Frame& frame, ElementSize size, std::uint32_t count) {
  std::size_t found = 0;
  for (std::size_t i = 1; i < frame.view().size(); ++i) {
    const std::uint64_t word = word_at(frame, i);
    if ((word & 3) != 1 || word >> 32 != (count << 3 | static_cast<std::uint32_t>(size))) continue;
    require(found == 0, "two lists look alike");
    found = i;
  }
  require(found != 0, "no such list in the frame");
  return found;
}

Frame execute_with_parameters(std::uint64_t id, std::string_view sql, unsigned count) {
  return RawSession::request(id, [&](wire::Request::Builder request) {
    auto execute = request.initExecute();
    fill_text(execute.initSql(static_cast<unsigned>(sql.size())), sql);
    auto parameters = execute.initParameters(count);
    for (auto parameter : parameters) parameter.setInteger(7);
  });
}

Frame insert_many(std::uint64_t id, const std::function<void(wire::RowBatch::Builder)>& fill) {
  return RawSession::request(id, [&](wire::Request::Builder request) {
    auto many = request.initExecuteMany();
    many.setSql("INSERT INTO visit VALUES (?)");
    fill(many.initRows());
  });
}

// Sends a malformed message in a session that goes on: it is answered under its own id.
Refusal expect_malformed(Scene& scene, const std::function<Frame(std::uint64_t id)>& make) {
  RawSession session(scene.socket_path());
  session.hello();
  const std::uint64_t id = session.next_id();
  session.send(make(id));
  const Refusal refusal = expect_refusal(session, id, ErrorCode::kProtocol);
  expect_alive(session);
  return refusal;
}

}  // namespace

Test(bad_input_messages, a_list_that_claims_more_than_the_frame_has_is_malformed) {
  Scene scene;
  const std::string_view sql = "SELECT 'a text of its own length'";
  const auto bytes = static_cast<std::uint32_t>(sql.size() + 1);
  for (const std::uint32_t count : {kListElementsMax, kListElementsMax - 1, bytes + 64}) {
    expect_malformed(scene, [&](std::uint64_t id) {
      Frame frame = RawSession::execute_request(id, sql);
      const std::size_t at = find_list(frame, ElementSize::kByte, bytes);
      set_word(frame, at, (word_at(frame, at) & 0xffffffffu) | std::uint64_t{count << 3 | 2u} << 32);
      return frame;
    });
  }
  scene.expect_all_well();
}

Test(bad_input_messages, a_struct_list_whose_tag_claims_the_most_there_can_be_is_malformed) {
  Scene scene;
  expect_malformed(scene, [&](std::uint64_t id) {
    Frame frame = execute_with_parameters(id, "SELECT ?, ?, ?", 3);
    // Three parameters of two data words and two pointers each, after their tag.
    const std::size_t at = find_list(frame, ElementSize::kComposite, 3 * 4);
    const auto tag_at = at + 1 + static_cast<std::size_t>(static_cast<std::int32_t>(word_at(frame, at)) >> 2);
    set_word(frame, tag_at,
             (word_at(frame, tag_at) & ~std::uint64_t{0xffffffff}) | std::uint64_t{kListElementsMax} << 2);
    return frame;
  });
  scene.expect_all_well();
}

Test(bad_input_messages, lists_of_nothing_cost_nothing_however_long) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const std::size_t resident_before = scene.daemon().resident_bytes();
  // A list of void needs no bytes, so its length is bounded by a limit alone. Each of these would take seconds,
  // or gigabytes, if anybody walked over it before it was checked.
  for (const ElementSize size : {ElementSize::kVoid, ElementSize::kComposite}) {
    const std::uint64_t id = session.next_id();
    Frame frame = execute_with_parameters(id, "SELECT ?, ?, ?", 3);
    const std::size_t at = find_list(frame, ElementSize::kComposite, 3 * 4);
    const std::uint64_t pointer = word_at(frame, at);
    const auto offset = static_cast<std::int32_t>(pointer) >> 2;
    if (size == ElementSize::kVoid) {
      set_word(frame, at, list_pointer(offset, size, kListElementsMax));
    } else {
      set_word(frame, at, list_pointer(offset, size, 0));
      set_word(frame, at + 1 + static_cast<std::size_t>(offset), std::uint64_t{kListElementsMax} << 2);
    }
    session.send(frame);
    const Refusal refusal = receive_refusal(session);
    cr_expect_eq(refusal.request, id);
    cr_expect(refusal.code == ErrorCode::kLimit || refusal.code == ErrorCode::kProtocol, "%s",
              refusal.message.c_str());
  }
  expect_alive(session);
  cr_expect_lt(scene.daemon().resident_bytes(), resident_before + 16 * kMiB);
  scene.expect_all_well();
}

Test(bad_input_messages, pointers_out_of_the_frame_are_malformed) {
  Scene scene;
  const std::string_view sql = "SELECT 'a text of its own length'";
  const auto bytes = static_cast<std::uint32_t>(sql.size() + 1);
  const std::uint64_t pointers[] = {
      list_pointer(1 << 28, ElementSize::kByte, bytes),     // far beyond the end
      list_pointer(-(1 << 28), ElementSize::kByte, bytes),  // far before the beginning
      list_pointer(-40, ElementSize::kByte, bytes),         // just before the beginning
      list_pointer(0, ElementSize::kEightBytes, bytes),     // of another element size
      list_pointer(0, ElementSize::kPointer, 3),            // pointers where bytes should be
      list_pointer(0, ElementSize::kBit, bytes),            // bits where bytes should be
      list_pointer(0, ElementSize::kByte, 0),               // text without its NUL
      std::uint64_t{1} << 32,                               // a struct where a list should be
      std::uint64_t{7} << 32 | 2,                           // a far pointer into a segment that is not there
      std::uint64_t{7} << 32 | 6,                           // a double far pointer into one
      std::uint64_t{1} << 32 | 3,                           // a capability
      ~std::uint64_t{0},
  };
  for (const std::uint64_t pointer : pointers) {
    expect_malformed(scene, [&](std::uint64_t id) {
      Frame frame = RawSession::execute_request(id, sql);
      set_word(frame, find_list(frame, ElementSize::kByte, bytes), pointer);
      return frame;
    });
  }
  scene.expect_all_well();
}

Test(bad_input_messages, a_pointer_to_itself_is_malformed) {
  Scene scene;
  // A struct of one pointer that lies where the pointer lies: whoever follows it comes back.
  const auto itself = static_cast<std::uint64_t>(static_cast<std::uint32_t>(-1) << 2) | std::uint64_t{1} << 48;
  expect_malformed(scene, [&](std::uint64_t id) {
    Frame frame = RawSession::execute_request(id, "SELECT 'a text of its own length'");
    set_word(frame, find_list(frame, ElementSize::kByte, 34), itself);
    return frame;
  });
  scene.expect_all_well();
}

Test(bad_input_messages, a_message_without_a_readable_root_ends_the_session) {
  Scene scene;
  const std::uint64_t roots[] = {list_pointer(0, ElementSize::kByte, 8), std::uint64_t{7} << 32 | 2,
                                 std::uint64_t{0xffff} << 32 | std::uint64_t{0xffff} << 48, ~std::uint64_t{0}};
  for (const std::uint64_t root : roots) {
    RawSession session(scene.socket_path());
    session.hello();
    session.send(frame_of(little_endian(root, 8) + std::string(64, '\0')));
    expect_broken_off(session, ErrorCode::kProtocol);
  }
  scene.expect_all_well();
}

Test(bad_input_messages, unknown_kinds_are_named_by_their_number) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const auto request = [&](auto&& fill) { return RawSession::request(session.next_id(), fill); };
  session.send(request([](wire::Request::Builder root) { set_union_tag<wire::Request>(root, 999); }));
  expect_refusal(session, 2, ErrorCode::kProtocol, "999");
  session.send(request([](wire::Request::Builder root) {
    auto execute = root.initExecute();
    execute.setSql("SELECT ?");
    set_union_tag<wire::Parameter>(execute.initParameters(1)[0], 77);
  }));
  expect_refusal(session, 3, ErrorCode::kProtocol, "77");
  session.send(insert_many(session.next_id(), [](wire::RowBatch::Builder rows) {
    rows.setRowCount(1);
    set_union_tag<wire::Column>(rows.initColumns(1)[0], 66);
  }));
  expect_refusal(session, 4, ErrorCode::kProtocol, "66");
  session.send(request([](wire::Request::Builder root) {
    root.setTransaction(1);
    root.initBegin().setMode(static_cast<wire::TransactionMode>(55));
  }));
  expect_refusal(session, 5, ErrorCode::kProtocol);
  session.send(request([](wire::Request::Builder root) {
    auto steps = root.initProgram().initSteps(2);
    steps[0].setSql("SELECT 1");
    steps[1].setSql("SELECT 2");
    steps[1].initRequirements(1)[0].setOutcome(static_cast<wire::Outcome>(44));
  }));
  expect_refusal(session, 6, ErrorCode::kProtocol, "44");
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_messages, a_batch_that_contradicts_itself_is_refused) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const std::function<void(wire::RowBatch::Builder)> contradictions[] = {
      [](wire::RowBatch::Builder rows) {  // fewer values than rows
        rows.setRowCount(3);
        rows.initColumns(1)[0].initIntegers(2);
      },
      [](wire::RowBatch::Builder rows) {  // more values than rows
        rows.setRowCount(1);
        rows.initColumns(1)[0].initReals(2);
      },
      [](wire::RowBatch::Builder rows) {  // ends that go back
        rows.setRowCount(2);
        auto texts = rows.initColumns(1)[0].initTexts();
        auto ends = texts.initEnds(2);
        ends.set(0, 4);
        ends.set(1, 2);
        texts.setData(data_of("abcd"));
      },
      [](wire::RowBatch::Builder rows) {  // an end beyond the data
        rows.setRowCount(1);
        auto blobs = rows.initColumns(1)[0].initBlobs();
        blobs.initEnds(1).set(0, 5);
        blobs.setData(data_of("abcd"));
      },
      [](wire::RowBatch::Builder rows) {  // too short a bitmap
        rows.setRowCount(9);
        auto column = rows.initColumns(1)[0];
        column.initIntegers(9);
        column.initNulls(1);
      },
      [](wire::RowBatch::Builder rows) {  // an unknown kind in a mixed column
        rows.setRowCount(1);
        auto mixed = rows.initColumns(1)[0].initMixed();
        mixed.setKinds(data_of("\x09"));
        mixed.initWords(1);
      },
      [](wire::RowBatch::Builder rows) {  // a mixed text whose offset and length lie beyond the data
        rows.setRowCount(1);
        auto mixed = rows.initColumns(1)[0].initMixed();
        mixed.setKinds(data_of("\x03"));
        mixed.initWords(1).set(0, ~std::uint64_t{0});
        mixed.setData(data_of("abcd"));
      },
  };
  for (const auto& fill : contradictions) {
    const std::uint64_t id = session.next_id();
    session.send(insert_many(id, fill));
    expect_refusal(session, id, ErrorCode::kProtocol, "row batch");
  }
  expect_alive(session);
  cr_assert(ask(scene.bystander(), "SELECT count(*) FROM visit") == "0");
  scene.expect_all_well();
}

Test(bad_input_messages, a_batch_of_endless_null_rows_is_refused) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const std::uint64_t id = session.next_id();
  session.send(insert_many(id, [](wire::RowBatch::Builder rows) {
    rows.setRowCount(0xffffffff);
    rows.initColumns(1)[0].setAllNull();
  }));
  expect_refusal(session, id, ErrorCode::kLimit, "received_batch_rows_max");
  expect_alive(session);
  scene.expect_all_well();
}
