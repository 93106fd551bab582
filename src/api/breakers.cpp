// Circuit breakers.
#include "api/handlers.hpp"
#include "api/render.hpp"
#include "api/request_body.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

using model::BreakerForce;
using model::RecordKind;

constexpr std::size_t kNameLimit = 128;

Result<std::string> show(Core& core, const std::string& name) {
  TRY(const std::optional<model::Record> record, core.store.get_record(model::breaker_key(name)));
  if (!record) {
    return fail(ErrorCode::not_found, "there is no breaker \"" + printable(utf8_prefix(name, kNameLimit)) +
                                          "\" yet: it comes to be with the first failure behind it");
  }
  TRY(const model::BreakerRow row, model::breaker_of(*record));
  JsonText out;
  write_breaker(row, out);
  return out.take();
}

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({"state", "limit", "cursor"}));
  TRY(const std::size_t limit, call.number("limit", 200, 1, 1000));
  store::RecordFilter filter{.kind = RecordKind::breaker};
  if (const auto state = call.query("state")) {
    if (*state != "closed" && *state != "open" && *state != "half_open") {
      return fail(ErrorCode::invalid_request, "query parameter \"state\" must be closed, open or half_open");
    }
    filter.group = std::string(*state);
  }
  std::optional<std::string> after;
  if (const auto cursor = call.query("cursor")) after = std::string(*cursor);
  TRY(const std::vector<model::Record> records, core.store.list_records(filter, after, limit + 1));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < std::min(limit, records.size()); ++i) {
    TRY(const model::BreakerRow row, model::breaker_of(records[i]));
    write_breaker(row, out);
  }
  out.end_array().key("next");
  if (records.size() > limit) {
    out.string(records[limit - 1].id.key);
  } else {
    out.null();
  }
  out.end_object();
  return out.take();
}

Result<model::ForceBreaker> read_force(const Call& call, BreakerForce force) {
  TRY_VOID(call.only({}));
  model::ForceBreaker command{call.captures.at(0), force, call.actor.name, ""};
  if (call.request.body.empty()) return command;
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"reason"}));
  TRY(command.reason, body.text("reason", 1000));
  return command;
}

void force(const CorePtr& core, const CallPtr& call, BreakerForce to) {
  auto command = read_force(*call, to);
  if (!command) return call->fail(command.error());
  const std::string name = command->name;
  const model::Sender actor = call->actor;
  core->runs.send(std::move(*command), actor, [core, call, name](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([core, call, name] { answer(*call, show(*core, name)); });
  });
}

}  // namespace

void list_breakers(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

void get_breaker(const CorePtr& core, CallPtr call) {
  const auto known = call->only({});
  answer(*call, known ? show(*core, call->captures.at(0)) : Result<std::string>(fail(known.error())));
}

void open_breaker(const CorePtr& core, CallPtr call) {
  force(core, call, BreakerForce::open);
}

void close_breaker(const CorePtr& core, CallPtr call) {
  force(core, call, BreakerForce::closed);
}

void reset_breaker(const CorePtr& core, CallPtr call) {
  force(core, call, BreakerForce::none);
}

}  // namespace baton::api
