// Secrets: which there are, and setting and deleting them. A value comes in here and is in no answer.
#include "api/edits.hpp"
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

struct Kept {
  model::SecretRow row;
  std::string tag;
};

Result<std::vector<Kept>> read_secrets(Core& core) {
  TRY(const auto records, core.store.list_records({.kind = model::RecordKind::secret, .group = {}},
                                                  std::nullopt, model::kMaxSecrets));
  std::vector<Kept> all;
  for (const model::Record& record : records) {
    // One that is damaged is listed all the same, so that it can be deleted or set again.
    auto row = model::secret_of(record);
    all.push_back({row ? std::move(*row) : model::SecretRow{.name = record.id.key, .at = record.at},
                   model::tag_of(&record)});
  }
  return all;
}

std::optional<std::string> problem_of(const Core& core, const model::SecretRow& row) {
  if (row.sealed.empty()) return "its record is damaged";
  return core.vault != nullptr ? core.vault->problem(row.name) : std::nullopt;
}

std::string rendered(const Core& core, const model::SecretRow& row) {
  JsonText out;
  write_secret(row, problem_of(core, row), out);
  return out.take();
}

Result<Tagged> find_secret(Core& core, const std::string& name) {
  TRY(auto all, read_secrets(core));
  std::vector<std::string_view> names;
  for (Kept& one : all) {
    if (one.row.name == name) return Tagged{rendered(core, one.row), std::move(one.tag)};
    names.push_back(one.row.name);
  }
  const std::string_view near = nearest(name, names);
  return fail(ErrorCode::not_found,
              "there is no secret \"" + printable(utf8_prefix(name, kName)) + "\"" +
                  (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
}

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const auto all, read_secrets(core));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const Kept& one : all) write_secret(one.row, problem_of(core, one.row), out);
  out.end_array().key("next").null().end_object();
  return out.take();
}

Result<Tagged> get(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  return find_secret(core, call.captures.at(0));
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
  TRY(command.expected, read_if_match(call.request));
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
  const std::string expected = command->expected;
  core->runs.send(
      std::move(*command), call->actor, [core, call, name, expected](const model::ReplyBody& reply) {
        const auto* error = std::get_if<Error>(&reply);
        core->workers.post([core, call, name, expected, why = error ? std::optional(*error) : std::nullopt] {
          if (why) return fail_edit(*call, *why, expected, find_secret(*core, name));
          // Whoever hears that it is set can use it, and nobody prints it any more.
          if (const auto read = core->vault->refresh(); !read) return call->fail(read.error());
          answer(*call, find_secret(*core, name));
        });
      });
}

void delete_secret(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const auto expected = read_if_match(call->request);
  if (!expected) return call->fail(expected.error());
  const std::string name = call->captures.at(0);
  const auto was = find_secret(*core, name);
  if (!was) return call->fail(was.error());
  core->runs.send(model::DeleteSecret{name, "", *expected}, call->actor,
                  [core, call, name, was = *was, expected = *expected](const model::ReplyBody& reply) {
                    const auto* error = std::get_if<Error>(&reply);
                    core->workers.post([core, call, name, was, expected,
                                        why = error ? std::optional(*error) : std::nullopt] {
                      if (why) return fail_edit(*call, *why, expected, find_secret(*core, name));
                      if (core->vault != nullptr) {
                        if (const auto read = core->vault->refresh(); !read) return call->fail(read.error());
                      }
                      call->json(200, was.body);
                    });
                  });
}

}  // namespace baton::api
