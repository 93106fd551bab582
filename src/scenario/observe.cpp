#include "scenario/observe.hpp"

#include <map>
#include <set>

#include "api/queries.hpp"
#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "model/dead_letter.hpp"

namespace baton::scenario {

namespace json = boost::json;

namespace {

ObservedTask read_task(json::object fields) {
  ObservedTask task;
  task.name = fields.at("step").as_string();
  if (const json::string& role = fields.at("role").as_string(); role != "main") {
    task.name += '.' + std::string(role);
  }
  if (const json::value& index = fields.at("index"); index.is_int64()) {
    task.name += '[' + std::to_string(index.get_int64()) + ']';
  }
  task.id = TaskId::parse(std::string_view(fields.at("id").as_string())).value_or(TaskId{});
  task.fields = std::move(fields);
  return task;
}

// The tasks of the run that lie among the dead letters: "fetch", "label[2]".
Result<json::array> dead_letters_of(store::Reader& reader, const RunId& run) {
  json::array names;
  std::string after = run.text();  // ids of its letters begin with it
  for (;;) {
    TRY(const auto page, reader.list_records({.kind = model::RecordKind::dead_letter}, after, 256));
    for (const model::Record& record : page) {
      if (!record.id.key.starts_with(run.text())) return names;
      TRY(const model::DeadLetter letter, model::dead_letter_of(record));
      names.emplace_back(letter.step + (letter.index >= 0 ? '[' + std::to_string(letter.index) + ']' : ""));
      after = record.id.key;
    }
    if (page.empty()) return names;
  }
}

}  // namespace

Result<Observed> observe(store::Reader& reader, const RunId& run) {
  constexpr std::size_t kPage = 1000;
  api::Queries queries(reader);
  Observed seen;
  TRY(const api::Tagged shown, queries.run(run));
  seen.run = parse_json(shown.body, {}, {.max_depth = kReadJsonDepth}).as_object();
  TRY(json::array dead_letters, dead_letters_of(reader, run));
  seen.run["dead_letters"] = std::move(dead_letters);
  std::set<Ordinal> mapped;
  std::map<std::string, std::size_t> helpers;  // their places
  api::TaskCursor from;
  for (;;) {
    TRY(const std::string text, queries.tasks(run, from, kPage));
    const json::value page = parse_json(text, {}, {.max_depth = kReadJsonDepth});
    for (const json::value& item : page.at("items").as_array()) {
      const json::object& fields = item.as_object();
      if (fields.at("index").is_int64())
        mapped.insert(static_cast<Ordinal>(fields.at("step_index").as_int64()));
      ObservedTask task = read_task(fields);
      // Of several that served the same task, such as its resources or its generations, the last one.
      if (fields.at("role").as_string() != "main") {
        const auto [same, first] = helpers.emplace(task.name, seen.tasks.size());
        if (!first) {
          if (seen.tasks[same->second].id < task.id) seen.tasks[same->second] = std::move(task);
          continue;
        }
      }
      seen.tasks.push_back(std::move(task));
    }
    const json::value& next = page.at("next");
    if (!next.is_string()) break;
    from = api::TaskCursor::parse(std::string_view(next.get_string())).value_or(api::TaskCursor{});
  }
  // Lists have the items of a mapped step; the step itself has a task too.
  for (const Ordinal step : mapped) {
    TRY(const std::string text, queries.task({run, step}));
    seen.tasks.push_back(read_task(parse_json(text, {}, {.max_depth = kReadJsonDepth}).as_object()));
  }
  return seen;
}

}  // namespace baton::scenario
