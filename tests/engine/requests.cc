#include "tests/engine/requests.h"

#include "daemon/base/clock.h"
#include "protocol/codec.h"
#include "protocol/row_batch.h"
#include "tests/support/failure.h"

namespace skua::test {

namespace {

kj::uint count_of(const auto& items) { return static_cast<kj::uint>(items.size()); }

template <class Fill>
std::shared_ptr<Request> request_of(Fill&& fill) {
  static std::uint64_t next_id = 1;
  FrameBuilder builder;
  auto root = builder.initRoot<wire::Request>();
  root.setId(next_id);
  fill(root);
  auto request = std::make_shared<Request>();
  request->id = next_id;
  request->serial = next_id++;
  request->arrival_us = monotonic_us();
  request->message.emplace(builder.finish());
  request->kind = request->message->root().which();
  if (request->kind == wire::Request::EXECUTE) request->open_execute();
  if (request->kind == wire::Request::EXECUTE_MANY) {
    request->sql = view_of(request->message->root().getExecuteMany().getSql());
  }
  return request;
}

void set_sql(auto call, std::string_view sql) { fill_text(call.initSql(count_of(sql)), sql); }

void set_parameters(auto call, const std::vector<Value>& values, const std::vector<std::string>& names) {
  require(names.empty() || names.size() == values.size(), "as many names as parameters");
  auto parameters = call.initParameters(count_of(values));
  for (kj::uint i = 0; i < parameters.size(); ++i) {
    write_parameter(ValueView::of(values[i]), parameters[i]);
    if (!names.empty() && !names[i].empty()) fill_text(parameters[i].initName(count_of(names[i])), names[i]);
  }
}

}  // namespace

std::shared_ptr<Request> execute_request(std::string_view sql, const std::vector<Value>& parameters,
                                         const std::vector<std::string>& names) {
  return request_of([&](wire::Request::Builder root) {
    auto call = root.initExecute();
    set_sql(call, sql);
    set_parameters(call, parameters, names);
  });
}

std::shared_ptr<Request> execute_many_request(std::string_view sql, const std::vector<std::vector<Value>>& rows,
                                              const std::vector<std::string>& names) {
  return request_of([&](wire::Request::Builder root) {
    auto call = root.initExecuteMany();
    set_sql(call, sql);
    auto list = call.initNames(count_of(names));
    for (kj::uint i = 0; i < list.size(); ++i) fill_text(list.init(i, count_of(names[i])), names[i]);
    RowBatchBuilder batch(rows.empty() ? names.size() : rows.front().size());
    for (const std::vector<Value>& row : rows) {
      for (const Value& value : row) batch.append(ValueView::of(value));
      batch.end_row();
    }
    batch.write(call.initRows());
  });
}

std::shared_ptr<Request> program_request(const std::vector<ProgramStep>& steps, bool independent) {
  return request_of([&](wire::Request::Builder root) {
    auto program = root.initProgram();
    program.setIndependent(independent);
    auto list = program.initSteps(count_of(steps));
    for (kj::uint i = 0; i < list.size(); ++i) {
      const ProgramStep& step = steps[i];
      set_sql(list[i], step.sql);
      set_parameters(list[i], step.parameters, {});
      list[i].setMayFail(step.may_fail);
      auto requirements = list[i].initRequirements(count_of(step.requirements));
      for (kj::uint j = 0; j < requirements.size(); ++j) {
        requirements[j].setStep(step.requirements[j].first);
        requirements[j].setOutcome(step.requirements[j].second);
      }
    }
  });
}

std::shared_ptr<Request> describe_request(std::string_view sql) {
  return request_of([&](wire::Request::Builder root) { set_sql(root.initDescribe(), sql); });
}

}  // namespace skua::test
