#include "api/workflows.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "api/drafts.hpp"
#include "api/edits.hpp"
#include "api/handlers.hpp"
#include "api/problem.hpp"
#include "base/text.hpp"
#include "model/applied.hpp"
#include "spec/diff.hpp"
#include "spec/parse.hpp"
#include "spec/read.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kMaxDefinition = std::size_t{16} << 20;
constexpr std::size_t kMaxDiagnostics = 200;
constexpr std::size_t kNamesLookedAt = 1000;  // for a suggestion
constexpr std::int64_t kMaxVersion = INT32_MAX;

using model::AppliedWorkflow;

std::string quoted(std::string_view name) {
  return '"' + printable(utf8_prefix(name, 128)) + '"';
}

// nullopt: it was never applied.
Result<std::optional<AppliedWorkflow>> applied(Core& core, std::string_view name) {
  TRY(const std::optional<model::Record> record, core.store.get_record(model::applied_key(name)));
  if (!record) return std::nullopt;
  TRY(AppliedWorkflow workflow, model::applied_of(*record));
  return workflow;
}

Result<std::vector<model::Record>> records(Core& core, std::optional<std::string> after, std::size_t limit) {
  return core.store.list_records({.kind = model::RecordKind::workflow}, std::move(after), limit);
}

// Why there is no version that counts.
std::unexpected<Error> not_applied(Core& core, std::string_view name) {
  const auto newest = core.store.list_versions(name, {}, 1);
  if (newest && !newest->empty()) {
    return fail(ErrorCode::not_found, "workflow " + quoted(name) +
                                          " was run from a file, but never applied: apply it, or name a "
                                          "version (it has 1 to " +
                                          std::to_string(newest->front().version) + ")");
  }
  if (const auto draft = find_draft(core, name); draft && *draft) {
    return fail(
        ErrorCode::conflict,
        "workflow " + quoted(name) + " is a draft: it has no steps yet; apply a definition with that name");
  }
  std::string message = "there is no workflow " + quoted(name);
  std::vector<std::string> names;
  if (const auto known = records(core, {}, kNamesLookedAt)) {
    for (const model::Record& record : *known) names.push_back(record.id.key);
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view near = nearest(name, views);
  message += near.empty() ? "; baton apply FILE makes one" : "; did you mean \"" + std::string(near) + "\"?";
  return fail(ErrorCode::not_found, std::move(message));
}

Result<store::StoredDefinition> stored_version(Core& core, std::string_view name, std::uint32_t version) {
  TRY(std::optional<store::StoredDefinition> stored, core.store.get_version(name, version));
  if (stored) return std::move(*stored);
  const auto newest = core.store.list_versions(name, {}, 1);
  if (!newest || newest->empty()) return not_applied(core, name);
  return fail(ErrorCode::not_found, "workflow " + quoted(name) + " has no version " +
                                        std::to_string(version) + "; the newest one is " +
                                        std::to_string(newest->front().version));
}

Result<std::uint32_t> current_version(Core& core, std::string_view name) {
  TRY(const std::optional<AppliedWorkflow> workflow, applied(core, name));
  if (!workflow) return not_applied(core, name);
  return workflow->version();
}

Result<std::optional<std::uint32_t>> version_parameter(const Call& call, std::string_view name) {
  if (!call.query(name)) return std::nullopt;
  TRY(const std::size_t version, call.number(name, 1, 1, kMaxVersion));
  return static_cast<std::uint32_t>(version);
}

// ---- Rendering

void write_application(const model::Application& application, JsonText& out) {
  out.begin_object();
  out.key("version").integer(application.version);
  out.key("at").instant(application.at);
  out.key("by").string(application.by);
  out.key("note").string_or_null(application.note);
  out.end_object();
}

// `workflow` is null if the definition cannot be read; `current` is null if it was never applied.
void write_workflow(const store::StoredDefinition& stored, const model::Workflow* workflow,
                    const AppliedWorkflow* current, bool whole, JsonText& out) {
  out.begin_object();
  out.key("name").string(stored.workflow);
  out.key("title").string_or_null(workflow != nullptr ? workflow->title : "");
  out.key("description").string_or_null(workflow != nullptr ? workflow->description : "");
  out.key("version").integer(stored.version);
  out.key("hash").string(stored.hash.hex());
  out.key("created_at").instant(stored.created_at);
  out.key("labels");
  if (workflow != nullptr && workflow->labels.is_object()) {
    out.value(workflow->labels);
  } else {
    out.begin_object().end_object();
  }
  out.key("steps").integer(workflow != nullptr ? static_cast<std::int64_t>(workflow->steps.size()) : 0);
  out.key("current_version");
  if (current != nullptr) {
    const model::Application& last = current->applications.front();
    out.integer(last.version);
    out.key("applied_at").instant(last.at);
    out.key("applied_by").string(last.by);
    out.key("note").string_or_null(last.note);
  } else {
    out.null();
    out.key("applied_at").null();
    out.key("applied_by").null();
    out.key("note").null();
  }
  if (whole) {
    out.key("applications").begin_array();
    if (current != nullptr) {
      for (const model::Application& one : current->applications) write_application(one, out);
    }
    out.end_array();
    out.key("definition").raw(stored.canonical);
  }
  out.end_object();
}

// The same members, of which most say that there is nothing yet.
std::string show_draft(const model::Draft& draft) {
  JsonText out;
  out.begin_object();
  out.key("name").string(draft.name);
  out.key("title").string_or_null(draft.title);
  out.key("description").string_or_null(draft.description);
  out.key("version").null();
  out.key("hash").null();
  out.key("created_at").instant(draft.at);
  out.key("labels").begin_object().end_object();
  out.key("steps").integer(0);
  for (const char* member : {"current_version", "applied_at", "applied_by", "note"}) out.key(member).null();
  out.key("applications").begin_array().end_array();
  out.key("definition").null();
  out.end_object();
  return out.take();
}

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({"limit", "cursor"}));
  TRY(const std::size_t limit, call.number("limit", 50, 1, 1000));
  std::optional<std::string> after;
  if (const auto cursor = call.query("cursor")) after = std::string(*cursor);
  TRY(const std::vector<model::Record> page, records(core, after, limit + 1));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < std::min(limit, page.size()); ++i) {
    TRY(const AppliedWorkflow workflow, model::applied_of(page[i]));
    TRY(const store::StoredDefinition stored, stored_version(core, workflow.name, workflow.version()));
    const auto parsed = core.queries.definitions().get(stored.hash);
    write_workflow(stored, parsed ? parsed->get() : nullptr, &workflow, false, out);
  }
  out.end_array().key("next").string_or_null(page.size() > limit ? page[limit - 1].id.key : "");
  out.end_object();
  return out.take();
}

// With the version that counts as its ETag, whichever is shown: that is what an apply changes.
Result<Tagged> show(Core& core, std::string_view name, std::optional<std::uint32_t> version) {
  TRY(const std::optional<AppliedWorkflow> workflow, applied(core, name));
  std::string tag = std::to_string(workflow ? workflow->version() : 0);
  if (!version) {
    if (!workflow) {
      TRY(const auto draft, find_draft(core, name));
      if (!draft) return not_applied(core, name);
      return Tagged{show_draft(*draft), std::move(tag)};
    }
    version = workflow->version();
  }
  TRY(const store::StoredDefinition stored, stored_version(core, name, *version));
  const auto parsed = core.queries.definitions().get(stored.hash);
  JsonText out;
  write_workflow(stored, parsed ? parsed->get() : nullptr, workflow ? &*workflow : nullptr, true, out);
  return Tagged{out.take(), std::move(tag)};
}

Result<std::string> versions(Core& core, const Call& call) {
  TRY_VOID(call.only({"limit", "cursor"}));
  TRY(const std::size_t limit, call.number("limit", 50, 1, 1000));
  TRY(const std::optional<std::uint32_t> before, version_parameter(call, "cursor"));
  const std::string& name = call.captures.at(0);
  TRY(const std::vector<store::VersionView> page, core.store.list_versions(name, before, limit + 1));
  TRY(const std::optional<AppliedWorkflow> workflow, applied(core, name));
  if (page.empty() && !before) return not_applied(core, name);
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < std::min(limit, page.size()); ++i) {
    const store::VersionView& view = page[i];
    out.begin_object();
    out.key("version").integer(view.version);
    out.key("hash").string(view.hash.hex());
    out.key("created_at").instant(view.created_at);
    out.key("current").boolean(workflow && workflow->version() == view.version);
    // When it was made to count the last time, as far as that is kept.
    const model::Application* last = nullptr;
    if (workflow) {
      const auto found =
          std::ranges::find(workflow->applications, view.version, &model::Application::version);
      if (found != workflow->applications.end()) last = &*found;
    }
    out.key("applied_at").instant(last != nullptr ? last->at : WallTime{});
    out.key("applied_by").string_or_null(last != nullptr ? last->by : "");
    out.key("note").string_or_null(last != nullptr ? last->note : "");
    out.end_object();
  }
  out.end_array().key("next");
  out.string_or_null(page.size() > limit ? std::to_string(page[limit - 1].version) : "");
  out.end_object();
  return out.take();
}

// What a person would say is different between two canonical texts.
Result<boost::json::array> changes_between(const std::string& before, const std::string& after) {
  const auto old_tree = spec::read_tree("before.json", before, {});
  const auto new_tree = spec::read_tree("after.json", after, {});
  if (!old_tree || !new_tree) return fail(ErrorCode::corrupt, "a stored definition cannot be read");
  return spec::to_json(spec::diff(*old_tree, *new_tree));
}

Result<std::string> diff(Core& core, const Call& call) {
  TRY_VOID(call.only({"from", "to"}));
  const std::string& name = call.captures.at(0);
  TRY(std::optional<std::uint32_t> to, version_parameter(call, "to"));
  TRY(std::optional<std::uint32_t> from, version_parameter(call, "from"));
  if (!to) {
    TRY(to, current_version(core, name));
  }
  if (!from) from = *to > 1 ? *to - 1 : *to;
  TRY(const store::StoredDefinition before, stored_version(core, name, *from));
  TRY(const store::StoredDefinition after, stored_version(core, name, *to));
  TRY(const boost::json::array changes, changes_between(before.canonical, after.canonical));
  JsonText out;
  out.begin_object();
  out.key("workflow").string(name);
  out.key("from").integer(*from);
  out.key("to").integer(*to);
  out.key("equal").boolean(changes.empty());
  out.key("changes").value(changes);
  out.end_object();
  return out.take();
}

// ---- Applying

struct Request {
  std::string definition;
  std::string file;
  std::string note;
  bool dry_run = false;
  std::optional<std::uint32_t> expected;
  bool exists = false;  // some version must count
};

// The version that must count, of `If-Match: "3"`; "0" = none was applied yet, * = any.
Status read_expected(const net::Request& request, Request& out) {
  const auto header = request.headers.find("If-Match");
  if (!header) return {};
  std::string_view text = *header;
  out.exists = text == "*";
  if (out.exists) return {};
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  std::uint32_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(
        ErrorCode::invalid_request,
        "If-Match must be the version that counts now, such as \"3\", or \"0\" for none, or * for any");
  }
  out.expected = version;
  return {};
}

Result<Request> read(const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"definition", "file", "note", "dry_run"}));
  Request request;
  if (body.find("definition") == nullptr) {
    return fail(ErrorCode::invalid_request,
                "\"definition\" is missing: the text of a workflow, in YAML or JSON", "/definition");
  }
  TRY(request.definition, body.text("definition", kMaxDefinition));
  TRY(request.file, body.text("file", 4096));
  TRY(request.note, body.text("note", model::kNoteLimit));
  TRY(request.dry_run, body.boolean("dry_run", false));
  TRY_VOID(read_expected(call.request, request));
  return request;
}

// What became of it, or would: created (a new version), changed (a version that it had counts now),
// unchanged.
Result<std::string> render_applied(Core& core, const model::Workflow& workflow,
                                   const model::WorkflowApplied& done, bool dry_run) {
  boost::json::array changes;
  if (done.previous != 0 && done.previous != done.version) {
    TRY(const store::StoredDefinition before, stored_version(core, workflow.name, done.previous));
    TRY(changes, changes_between(before.canonical, workflow.canonical));
  }
  JsonText out;
  out.begin_object();
  out.key("workflow").string(workflow.name);
  out.key("version").integer(done.version);
  out.key("previous_version");
  if (done.previous == 0) {
    out.null();
  } else {
    out.integer(done.previous);
  }
  out.key("outcome").string(done.created                    ? "created"
                            : done.version == done.previous ? "unchanged"
                                                            : "changed");
  out.key("dry_run").boolean(dry_run);
  out.key("changes").value(changes);
  out.end_object();
  return out.take();
}

// As the engine would answer now.
Result<model::WorkflowApplied> foresee(Core& core, const model::Workflow& workflow,
                                       std::optional<std::uint32_t> expected) {
  model::WorkflowApplied answer;
  TRY(const std::optional<AppliedWorkflow> current, applied(core, workflow.name));
  if (current) answer.previous = current->version();
  if (expected && *expected != answer.previous)
    return fail(ErrorCode::conflict,
                "workflow " + workflow.name + " is at version " + std::to_string(answer.previous) +
                    ", not at version " + std::to_string(*expected),
                std::to_string(answer.previous));
  TRY(const auto stored, core.store.get_definition(workflow.hash));
  if (stored) {
    answer.version = stored->version;
    return answer;
  }
  answer.created = true;
  TRY(const auto newest, core.store.list_versions(workflow.name, {}, 1));
  answer.version = newest.empty() ? 1 : newest.front().version + 1;
  return answer;
}

void answer_applied(Core& core, Call& call, const model::Workflow& workflow,
                    const model::WorkflowApplied& done, bool dry_run) {
  auto body = render_applied(core, workflow, done, dry_run);
  if (!body) return call.fail(body.error());
  call.json(done.created && !dry_run ? 201 : 200, std::move(*body),
            {{"Location", "/api/v1/workflows/" + workflow.name},
             {"ETag", '"' + std::to_string(done.version) + '"'}});
}

// 412 if another version counts than the caller has seen; which one it is stands in the answer.
void fail_apply(Call& call, const Error& error, bool conditional) {
  if (!conditional || error.code != ErrorCode::conflict) return call.fail(error);
  net::Response response = problem(error, 412, "\"current\":{\"version\":" + error.where + "}");
  response.headers.set("ETag", '"' + error.where + '"');
  call.respond(std::move(response));
}

}  // namespace

Result<FoundVersion> find_version(Core& core, std::string_view workflow,
                                  std::optional<std::uint32_t> version) {
  if (!version) {
    TRY(version, current_version(core, workflow));
  }
  TRY(const store::StoredDefinition stored, stored_version(core, workflow, *version));
  TRY(std::shared_ptr<const model::Workflow> parsed, core.queries.definitions().get(stored.hash));
  return FoundVersion{*version, std::move(parsed)};
}

Result<std::optional<std::uint32_t>> read_version(const RequestBody& body) {
  TRY(const std::optional<std::int64_t> version, body.integer("version", 1, kMaxVersion));
  if (!version) return std::nullopt;
  return static_cast<std::uint32_t>(*version);
}

void fail_definition(Call& call, std::vector<spec::Diagnostic> diagnostics) {
  if (diagnostics.size() > kMaxDiagnostics) diagnostics.resize(kMaxDiagnostics);
  call.respond(problem(spec::to_error(diagnostics),
                       "\"errors\":" + boost::json::serialize(spec::to_json(diagnostics))));
}

void apply_workflow(const CorePtr& core, CallPtr call) {
  auto request = read(*call);
  if (!request) return call->fail(request.error());
  spec::ParseResult parsed = spec::parse_workflow(
      request->definition, {.file_name = request->file.empty() ? "definition" : request->file});
  if (!parsed.workflow) return fail_definition(*call, std::move(parsed.diagnostics));
  const std::shared_ptr<const model::Workflow> workflow = std::move(parsed.workflow);
  if (request->exists) {
    // Once there is a version, there always is one.
    const auto current = applied(*core, workflow->name);
    if (!current) return call->fail(current.error());
    if (!*current)
      return fail_apply(
          *call, {ErrorCode::conflict, "no version of workflow " + workflow->name + " was applied yet", "0"},
          true);
  }
  if (request->dry_run) {
    const auto done = foresee(*core, *workflow, request->expected);
    if (!done) return fail_apply(*call, done.error(), request->expected.has_value());
    return answer_applied(*core, *call, *workflow, *done, true);
  }
  const model::Sender actor = call->actor;
  const bool conditional = request->expected.has_value();
  core->runs.send(
      model::ApplyWorkflow{workflow, request->expected, std::move(request->note)}, actor,
      [core, call, workflow, conditional](model::ReplyBody reply) {
        if (const auto* error = std::get_if<Error>(&reply)) return fail_apply(*call, *error, conditional);
        core->workers.post([core, call, workflow, done = std::get<model::WorkflowApplied>(reply)] {
          answer_applied(*core, *call, *workflow, done, false);
        });
      });
}

void list_workflows(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

void get_workflow(const CorePtr& core, CallPtr call) {
  const auto body = [&]() -> Result<Tagged> {
    TRY_VOID(call->only({"version"}));
    TRY(const std::optional<std::uint32_t> version, version_parameter(*call, "version"));
    return show(*core, call->captures.at(0), version);
  };
  answer(*call, body());
}

void list_versions(const CorePtr& core, CallPtr call) {
  answer(*call, versions(*core, *call));
}

void diff_workflow(const CorePtr& core, CallPtr call) {
  answer(*call, diff(*core, *call));
}

}  // namespace baton::api
