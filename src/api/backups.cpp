// POST /api/v1/backups: a consistent copy of the database, made while everything goes on.
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/request_body.hpp"
#include "store/everywhere.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kMaxPath = 480;  // SQLite's, with the files beside it

Result<store::BackupReport> make(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"path"}));
  TRY(const std::string path, body.text("path", kMaxPath));
  if (!path.starts_with('/') || path.ends_with('/')) {
    return fail(ErrorCode::invalid_request,
                "\"path\" must be the absolute path of a file that does not exist yet", "/path");
  }
  if (!core.services.backup) return fail(ErrorCode::unsupported, "this server makes no backups");
  // One at a time: it keeps a thread, and the log from starting over.
  if (core.common->backup_under_way.exchange(true)) {
    return fail(ErrorCode::conflict, "another backup is being made: wait for its end");
  }
  auto made = core.services.backup(path, [&core] { return core.stopping.load(); });
  core.common->backup_under_way = false;
  return made;
}

// `secrets`: how many it has, of all namespaces, sealed; their key is not in it.
std::string render(const store::BackupReport& made, std::int64_t secrets) {
  JsonText out;
  out.begin_object();
  out.key("path").string(made.file);
  out.key("bytes").integer(made.bytes);
  out.key("schema").integer(made.schema);
  out.key("runs").integer(made.runs);
  out.key("open_runs").integer(made.open_runs);
  out.key("last_commit_at").instant(made.last_commit);
  out.key("secrets").integer(secrets);
  out.end_object();
  return out.take();
}

}  // namespace

void make_backup(const CorePtr& core, CallPtr call) {
  const auto made = make(*core, *call);
  if (!made) return call->fail(made.error());
  const auto secrets = store::count_everywhere(core->store, model::RecordKind::secret);
  // On a full disk there may be a copy without an entry in the audit: the copy is what was asked for.
  core->runs.send(model::NoteChange{"backup", made->file, ""}, call->actor,
                  [call, body = render(*made, static_cast<std::int64_t>(secrets.value_or(0)))](
                      const model::ReplyBody&) { call->json(201, body); });
}

}  // namespace baton::api
