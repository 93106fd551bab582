// Keys: who else may come in. The text of a key is in one answer only, that of its making.
#include "api/admission.hpp"
#include "api/handlers.hpp"
#include "api/namespaces.hpp"
#include "api/render.hpp"
#include "api/request_body.hpp"
#include "auth/key_text.hpp"
#include "base/duration.hpp"
#include "base/text.hpp"
#include "model/api_key.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kReason = 1000;
constexpr std::size_t kName = 128;

Result<std::vector<model::KeyRow>> read_keys(Core& core) {
  TRY(const auto records, core.store.list_records({.kind = model::RecordKind::api_key, .group = {}},
                                                  std::nullopt, model::kMaxKeys));
  std::vector<model::KeyRow> rows;
  for (const model::Record& record : records) {
    // One that cannot be read lets nobody in; revoking it takes it away.
    auto row = model::api_key_of(record);
    rows.push_back(row ? std::move(*row)
                       : model::KeyRow{.name = record.id.key, .at = record.at, .revoked_at = record.at});
  }
  return rows;
}

Result<model::KeyRow> find_key(Core& core, const std::string& name) {
  TRY(const auto rows, read_keys(core));
  std::vector<std::string_view> names;
  for (const model::KeyRow& row : rows) {
    if (row.name == name) return row;
    names.push_back(row.name);
  }
  const std::string_view near = nearest(name, names);
  return fail(ErrorCode::not_found,
              "there is no key \"" + printable(utf8_prefix(name, kName)) + "\"" +
                  (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
}

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const auto rows, read_keys(core));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const model::KeyRow& row : rows) write_api_key(row, wall_now(core), "", out);
  out.end_array().key("next").null().end_object();
  return out.take();
}

// "expires_at", an instant, or "expires_in", a duration from now.
Result<std::optional<WallTime>> read_expiry(const RequestBody& body, WallTime now) {
  TRY(const std::string at, body.text("expires_at", kName));
  const json::value* in = body.find("expires_in");
  if (!at.empty() && in != nullptr) {
    return fail(ErrorCode::invalid_request, "\"expires_at\" and \"expires_in\" exclude each other",
                "/expires_in");
  }
  if (!at.empty()) {
    const auto instant = parse_rfc3339(at);
    if (!instant)
      return fail(ErrorCode::invalid_request, "\"expires_at\" is no instant: " + instant.error().message,
                  "/expires_at");
    return *instant;
  }
  if (in == nullptr) return std::nullopt;
  const auto duration =
      in->is_string() ? parse_duration(std::string(in->get_string()))
      : in->is_number()
          ? duration_from_seconds(in->to_number<double>())
          : Result<Duration>(fail(ErrorCode::invalid_request, "a number of seconds, or text such as 90d"));
  if (!duration) {
    return fail(ErrorCode::invalid_request, "\"expires_in\" is no duration: " + duration.error().message,
                "/expires_in");
  }
  return now + *duration;
}

Result<model::CreateKey> read_key(const Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"name", "role", "namespace", "expires_at", "expires_in", "reason"}));
  model::CreateKey command;
  TRY(command.name, body.text("name", kName));
  TRY(const std::string role, body.text("role", kName));
  const auto known = model::role_from(role);
  if (!known) {
    return fail(ErrorCode::invalid_request, "\"role\" must be viewer, operator, editor, admin or worker",
                "/role");
  }
  command.role = *known;
  TRY(const std::string space, body.text("namespace", kName));
  if (!space.empty()) command.space = space;
  if (command.space != model::kEveryNamespace && core.common->spaces.find(command.space) == nullptr) {
    Error none = no_such_namespace(*core.common, call.principal, command.space);
    return fail(ErrorCode::invalid_request, none.message + " (* is all of them)", "/namespace");
  }
  TRY(command.expires_at, read_expiry(body, wall_now(core)));
  TRY(command.reason, body.text("reason", kReason));
  return command;
}

}  // namespace

Status refresh_keys(Core& core) {
  TRY(auto rows, read_keys(core));
  core.entrance.keys().replace(std::move(rows));
  recheck_admissions(*core.common);
  return {};
}

void list_keys(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

void create_key(const CorePtr& core, CallPtr call) {
  auto command = read_key(*core, *call);
  if (!command) return call->fail(command.error());
  auto text = auth::new_key_text();
  if (!text) return call->fail(text.error());
  command->hash = Hash256::of(*text);
  const std::string name = command->name;
  core->runs.send(std::move(*command), call->actor,
                  [core, call, name, text = std::move(*text)](model::ReplyBody reply) {
                    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
                    core->workers.post([core, call, name, text] {
                      if (const auto read = refresh_keys(*core); !read) return call->fail(read.error());
                      const auto row = find_key(*core, name);
                      if (!row) return call->fail(row.error());
                      // Asked again with its idempotency key: the text was in the first answer, and
                      // only there.
                      const bool again = row->hash != Hash256::of(text);
                      JsonText out;
                      write_api_key(*row, wall_now(*core), again ? "" : text, out);
                      call->json(again ? 200 : 201, out.take());
                    });
                  });
}

void revoke_key(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const std::string name = call->captures.at(0);
  if (const auto row = find_key(*core, name); !row) return call->fail(row.error());
  core->runs.send(model::RevokeKey{name, ""}, call->actor, [core, call, name](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([core, call, name] {
      if (const auto read = refresh_keys(*core); !read) return call->fail(read.error());
      const auto row = find_key(*core, name);
      if (!row) return call->fail(row.error());
      JsonText out;
      write_api_key(*row, wall_now(*core), "", out);
      call->json(200, out.take());
    });
  });
}

}  // namespace baton::api
