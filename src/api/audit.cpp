// The audit: who changed what, and whether the chain of its entries holds.
#include "model/audit.hpp"

#include "api/handlers.hpp"
#include "api/namespaces.hpp"
#include "api/render.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kChunk = 1000;

store::RecordFilter entries(bool newest_first) {
  return {.kind = model::RecordKind::audit, .group = {}, .descending = newest_first};
}

bool is_cursor(std::string_view text) {
  return text.size() <= 64 && text.find_first_not_of("0123456789.") == text.npos;
}

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({"limit", "cursor"}));
  TRY(const std::size_t limit, call.number("limit", 50, 1, kChunk));
  std::optional<std::string> after;
  if (const auto cursor = call.query("cursor")) {
    if (!is_cursor(*cursor))
      return fail(ErrorCode::invalid_request, "query parameter \"cursor\" is not one that a list gave out");
    after = std::string(*cursor);
  }
  TRY(const auto records, core.store.list_records(entries(true), after, limit));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const model::Record& record : records) {
    const auto entry = model::audit_entry_of(record);
    // One that was tampered with is shown as that: leaving it out would be what whoever did it wants.
    write_audit_entry(entry ? *entry : model::AuditEntry{.at = record.at, .detail = entry.error().message},
                      !entry, out);
  }
  const bool more = records.size() == limit;
  out.end_array().key("next").string_or_null(more ? records.back().id.key : "").end_object();
  return out.take();
}

struct Check {
  std::uint64_t entries = 0;
  Hash256 head;
  std::string problem;  // "" = the chain holds
};

Result<Check> check(Core& core) {
  // The head first: entries that are added meanwhile stand behind it.
  TRY(const auto stored, core.store.get_record(model::audit_head_key()));
  Check result;
  model::AuditHead head;
  if (stored) {
    const auto read = model::audit_head_of(*stored);
    if (!read) {
      result.problem = read.error().message;
      return result;
    }
    head = *read;
  }
  std::optional<std::string> after;
  const std::string last = model::audit_key(head.sequence, head.place).key;
  for (bool more = true; more;) {
    if (core.stopping) return fail(ErrorCode::unavailable, "Baton is stopping");
    TRY(const auto records, core.store.list_records(entries(false), after, kChunk));
    more = records.size() == kChunk;
    for (const model::Record& record : records) {
      if (stored && record.id.key > last) {
        more = false;
        break;
      }
      const auto entry = model::audit_entry_of(record);
      if (!entry) {
        result.problem = entry.error().message;
        return result;
      }
      if (entry->number != result.entries + 1 || entry->previous != result.head) {
        result.problem = "behind entry " + std::to_string(result.entries) +
                         " something is missing or was put in: entry " + std::to_string(entry->number) +
                         " (record " + printable(record.id.key) + ") does not follow it";
        return result;
      }
      result.entries = entry->number;
      result.head = entry->hash();
    }
    if (!records.empty()) after = records.back().id.key;
  }
  if (result.entries != head.count || result.head != head.hash) {
    result.problem = "the last entry is " + std::to_string(result.entries) + ", but " +
                     std::to_string(head.count) +
                     " were written: the end was cut off, or the head was changed";
  }
  return result;
}

// Each namespace has a chain of its own. Who is let into all and names none has all of them looked at.
Result<std::string> verify(const CorePtr& core, const Call& call) {
  TRY_VOID(call.only({}));
  std::vector<CorePtr> spaces{core};
  if (call.principal.is_everywhere() && !call.request.headers.find(kNamespaceHeader)) {
    for (CorePtr& other : core->common->spaces.all()) {
      if (other != core) spaces.push_back(std::move(other));
    }
  }
  std::uint64_t entries = 0;
  std::string problem;
  JsonText list;
  list.begin_array();
  for (const CorePtr& space : spaces) {
    TRY(const Check result, check(*space));
    entries += result.entries;
    if (problem.empty() && !result.problem.empty())
      problem = (spaces.size() > 1 ? "namespace " + space->name + ": " : "") + result.problem;
    list.begin_object().key("namespace").string(space->name);
    list.key("entries").integer(static_cast<std::int64_t>(result.entries));
    list.key("head").string(result.head.hex());
    list.key("problem").string_or_null(result.problem).end_object();
  }
  list.end_array();
  JsonText out;
  out.begin_object().key("ok").boolean(problem.empty());
  out.key("entries").integer(static_cast<std::int64_t>(entries));
  out.key("problem").string_or_null(problem);
  out.key("chains").raw(list.take()).end_object();
  return out.take();
}

}  // namespace

void list_audit(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

void verify_audit(const CorePtr& core, CallPtr call) {
  answer(*call, verify(core, *call));
}

}  // namespace baton::api
