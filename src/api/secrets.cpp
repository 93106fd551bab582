// Secrets: which there are, and setting and deleting them. A value comes in here and is in no answer.
#include "api/handlers.hpp"
#include "api/render.hpp"
#include "api/request_body.hpp"
#include "base/text.hpp"
#include "model/secret.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kName = 128;
constexpr std::size_t kReason = 1000;

Result<secrets::Vault*> vault_of(const Core& core) {
  if (core.vault != nullptr) return core.vault;
  return fail(ErrorCode::unsupported, "this server keeps no secrets");
}

Result<std::vector<model::SecretRow>> read_secrets(Core& core) {
  TRY(const auto records, core.store.list_records({.kind = model::RecordKind::secret, .group = {}},
                                                  std::nullopt, model::kMaxSecrets));
  std::vector<model::SecretRow> rows;
  for (const model::Record& record : records) {
    // One that is damaged is listed all the same, so that it can be deleted or set again.
    auto row = model::secret_of(record);
    rows.push_back(row ? std::move(*row) : model::SecretRow{.name = record.id.key, .at = record.at});
  }
  return rows;
}

std::optional<std::string> problem_of(const Core& core, const model::SecretRow& row) {
  if (row.sealed.empty()) return "its record is damaged";
  return core.vault != nullptr ? core.vault->problem(row.name) : std::nullopt;
}

Result<model::SecretRow> find_secret(Core& core, const std::string& name) {
  TRY(auto rows, read_secrets(core));
  std::vector<std::string_view> names;
  for (model::SecretRow& row : rows) {
    if (row.name == name) return std::move(row);
    names.push_back(row.name);
  }
  const std::string_view near = nearest(name, names);
  return fail(ErrorCode::not_found,
              "there is no secret \"" + printable(utf8_prefix(name, kName)) + "\"" +
                  (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
}

std::string rendered(const Core& core, const model::SecretRow& row) {
  JsonText out;
  write_secret(row, problem_of(core, row), out);
  return out.take();
}

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const auto rows, read_secrets(core));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const model::SecretRow& row : rows) write_secret(row, problem_of(core, row), out);
  out.end_array().key("next").null().end_object();
  return out.take();
}

Result<std::string> get(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const model::SecretRow row, find_secret(core, call.captures.at(0)));
  return rendered(core, row);
}

Result<model::SetSecret> read_secret(const Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(secrets::Vault * vault, vault_of(core));
  model::SetSecret command{.name = call.captures.at(0)};
  if (!is_name(command.name)) {
    return fail(ErrorCode::invalid_request,
                "a secret's name has letters, digits and . _ - (at most 128), and begins with a letter or "
                "digit");
  }
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"value", "reason"}));
  if (body.find("value") == nullptr)
    return fail(ErrorCode::invalid_request, "\"value\" is missing", "/value");
  TRY(const std::string value, body.text("value", model::kMaxSecretValue));
  TRY(command.reason, body.text("reason", kReason));
  TRY(command.sealed, vault->seal(command.name, value));
  return command;
}

}  // namespace

void list_secrets(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

void get_secret(const CorePtr& core, CallPtr call) {
  answer(*call, get(*core, *call));
}

void set_secret(const CorePtr& core, CallPtr call) {
  auto command = read_secret(*core, *call);
  if (!command) return call->fail(command.error());
  const std::string name = command->name;
  core->runs.send(std::move(*command), call->actor, [core, call, name](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    // Whoever hears that it is set can use it, and nobody prints it any more.
    core->workers.post([core, call, name] {
      if (const auto read = core->vault->refresh(); !read) return call->fail(read.error());
      const auto row = find_secret(*core, name);
      if (!row) return call->fail(row.error());
      call->json(200, rendered(*core, *row));
    });
  });
}

void delete_secret(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const std::string name = call->captures.at(0);
  const auto row = find_secret(*core, name);
  if (!row) return call->fail(row.error());
  const std::string was = rendered(*core, *row);
  core->runs.send(model::DeleteSecret{name, ""}, call->actor, [core, call, was](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([core, call, was] {
      if (core->vault != nullptr) {
        if (const auto read = core->vault->refresh(); !read) return call->fail(read.error());
      }
      call->json(200, was);
    });
  });
}

}  // namespace baton::api
