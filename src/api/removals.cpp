// GET /api/v1/removals: which runs were removed, by whom and why.
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "model/removal.hpp"

namespace baton::api {
namespace {

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({"limit", "cursor"}));
  TRY(const std::size_t limit, call.number("limit", 50, 1, 200));
  const std::string_view cursor = call.query("cursor").value_or("");
  if (cursor.size() > 128)
    return fail(ErrorCode::invalid_request, "\"cursor\" is not one that a page gave out");
  TRY(const std::vector<model::Record> records,
      core.store.list_records({.kind = model::RecordKind::removal, .descending = true},
                              cursor.empty() ? std::nullopt : std::optional(std::string(cursor)), limit));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const model::Record& record : records) {
    const auto removal = model::removal_of(record);
    if (!removal) continue;
    out.begin_object();
    out.key("at").string(to_rfc3339(removal->at));
    out.key("by").string(removal->by);
    out.key("reason").string(removal->why);
    out.key("runs").integer(static_cast<std::int64_t>(removal->count));
    out.key("files_deleted").boolean(removal->runs.empty());
    out.end_object();
  }
  out.end_array();
  out.key("next").string_or_null(records.size() == limit ? records.back().id.key : "").end_object();
  return out.take();
}

}  // namespace

void list_removals(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

}  // namespace baton::api
