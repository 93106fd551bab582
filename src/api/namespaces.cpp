// Namespaces: isolation of everything else. The list is kept by the shard of `default`.
#include "api/namespaces.hpp"

#include "api/handlers.hpp"
#include "api/render.hpp"
#include "api/request_body.hpp"
#include "base/text.hpp"
#include "model/space.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kReason = 1000;
constexpr std::size_t kName = 128;

// Of shard 0. Those that are deleted are left out; one that cannot be read is none.
Result<std::vector<model::SpaceRow>> read_spaces(Core& home) {
  std::vector<model::SpaceRow> rows{{.name = std::string(model::kDefaultNamespace)}};
  TRY(const auto records,
      home.store.list_records({.kind = model::RecordKind::space}, std::nullopt, model::kLastShard));
  for (const model::Record& record : records) {
    auto row = model::space_of(record);
    if (row && !row->deleted_at) rows.push_back(std::move(*row));
  }
  return rows;
}

Result<model::SpaceRow> find_space(Core& home, const auth::Principal& who, const std::string& name) {
  if (who.may_enter(name)) {
    TRY(auto rows, read_spaces(home));
    for (model::SpaceRow& row : rows) {
      if (row.name == name) return std::move(row);
    }
  }
  return fail(no_such_namespace(*home.common, who, name));
}

std::string render(const Core& home, const model::SpaceRow& row) {
  JsonText out;
  write_namespace(row, home.common->spaces.find(row.name) != nullptr, out);
  return out.take();
}

Result<std::string> list(Core& home, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const auto rows, read_spaces(home));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const model::SpaceRow& row : rows) {
    if (call.principal.may_enter(row.name))
      write_namespace(row, home.common->spaces.find(row.name) != nullptr, out);
  }
  out.end_array().key("next").null().end_object();
  return out.take();
}

Result<std::string> get(Core& home, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const model::SpaceRow row, find_space(home, call.principal, call.captures.at(0)));
  return render(home, row);
}

Result<model::CreateNamespace> read_creation(const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"name", "reason"}));
  model::CreateNamespace command;
  TRY(command.name, body.text("name", kName));
  TRY(command.reason, body.text("reason", kReason));
  return command;
}

// Opens it, and answers. One that is recorded and cannot be opened now is opened with the next start.
Result<std::string> open(Core& home, const Call& call, const std::string& name) {
  TRY(const model::SpaceRow row, find_space(home, call.principal, name));
  TRY_VOID(refresh_keys(home));
  if (home.services.open_space) TRY_VOID(home.services.open_space(row));
  return render(home, row);
}

// The namespace's own shard has the word whether something is open in it, and keeps everything out that
// comes later; only then it goes from the list. Ended in between, asking again goes on from there.
void remove(const CorePtr& home, const CallPtr& call, const model::SpaceRow& row, const CorePtr& space) {
  space->runs.send(model::CloseShard{}, call->actor,
                   [home, call, row, space](const model::ReplyBody& closed) {
                     if (const auto* error = std::get_if<Error>(&closed)) return call->fail(*error);
                     home->runs.send(model::DeleteNamespace{.shard = row.shard, .name = row.name},
                                     call->actor, [home, call, row](const model::ReplyBody& done) {
                                       if (const auto* error = std::get_if<Error>(&done))
                                         return call->fail(*error);
                                       home->workers.post([home, call, row] {
                                         const Status keys = refresh_keys(*home);
                                         if (home->services.clear_space) home->services.clear_space(row);
                                         if (!keys) return call->fail(keys.error());
                                         call->json(200, render(*home, row));
                                       });
                                     });
                   });
}

}  // namespace

Error no_such_namespace(const Common& common, const auth::Principal& who, const std::string& name) {
  std::vector<std::string> known;
  for (const CorePtr& core : common.spaces.all()) {
    if (who.may_enter(core->name)) known.push_back(core->name);
  }
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view near = nearest(name, views);
  return {ErrorCode::not_found,
          "there is no namespace \"" + printable(utf8_prefix(name, kName)) + "\"" +
              (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"),
          ""};
}

void list_namespaces(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core->common->spaces.find(std::string(model::kDefaultNamespace)), *call));
}

void get_namespace(const CorePtr& core, CallPtr call) {
  answer(*call, get(*core->common->spaces.find(std::string(model::kDefaultNamespace)), *call));
}

void create_namespace(const CorePtr& home, CallPtr call) {
  auto command = read_creation(*call);
  if (!command) return call->fail(command.error());
  const std::string name = command->name;
  home->runs.send(std::move(*command), call->actor, [home, call, name](const model::ReplyBody& reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    home->workers.post([home, call, name] {
      auto made = open(*home, *call, name);
      if (!made) return call->fail(made.error());
      call->json(201, std::move(*made));
    });
  });
}

void delete_namespace(const CorePtr& home, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const auto row = find_space(*home, call->principal, call->captures.at(0));
  if (!row) return call->fail(row.error());
  const CorePtr space = home->common->spaces.find(row->name);
  if (space == nullptr) {
    return call->fail(home->common->spaces.why_unavailable(row->name).value_or(
        Error{ErrorCode::unavailable, "the namespace " + row->name + " is not open", ""}));
  }
  remove(home, call, *row, space);
}

}  // namespace baton::api
