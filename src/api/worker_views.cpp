// Workers: what the dispatcher knows of them and what they say of themselves; and that one is to end.
#include <algorithm>
#include <optional>
#include <set>

#include "api/handlers.hpp"
#include "api/queues.hpp"
#include "api/render.hpp"
#include "api/survey.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

// Everything that is known of the workers of a namespace, at one moment.
struct Known {
  const model::Survey& survey;
  std::map<std::string, WorkerFacts> facts;
  std::map<std::string, model::Pause> pauses;
  std::map<std::string, model::Pause> drains;
  WorkerFacts own;  // of the worker in this process

  static Result<Known> of(Core& core, const model::Survey& survey) {
    TRY(auto pauses, pauses_of(core, model::BlockerKind::worker_paused));
    TRY(auto drains, pauses_of(core, model::BlockerKind::worker_draining));
    return Known{survey, core.known_workers.all(wall_now(core)), std::move(pauses), std::move(drains),
                 core.own_worker ? core.own_worker() : WorkerFacts{}};
  }

  // By name. Those that people have said something about and that are not there are among them.
  std::vector<model::WorkerView> all() const {
    std::vector<model::WorkerView> workers = survey.workers;
    std::set<std::string_view> away;
    for (const auto* said : {&pauses, &drains}) {
      for (const auto& [name, pause] : *said) {
        if (!is_there(name)) away.insert(name);
      }
    }
    for (const std::string_view name : away) workers.push_back({.name = std::string(name)});
    std::ranges::sort(workers, {}, &model::WorkerView::name);
    return workers;
  }
  bool is_there(const std::string& name) const {
    return std::ranges::find(survey.workers, name, &model::WorkerView::name) != survey.workers.end();
  }
  WorkerFacts facts_of(const model::WorkerView& worker) const {
    if (worker.in_process) return own;
    const auto found = facts.find(worker.name);
    return found == facts.end() ? WorkerFacts{} : found->second;
  }

  void write(const model::WorkerView& worker, JsonText& out) const {
    out.begin_object();
    out.key("name").string(worker.name);
    out.key("status").string(!is_there(worker.name) ? "away" : worker.attempts > 0 ? "busy" : "idle");
    out.key("in_process").boolean(worker.in_process);
    out.key("attempts").integer(worker.attempts);
    write_facts(facts_of(worker), out);
    out.key("draining").boolean(drains.contains(worker.name));
    out.key("queues");
    if (worker.queues.empty()) {
      out.null();
    } else {
      out.begin_array();
      for (const std::string& queue : worker.queues) out.string(queue);
      out.end_array();
    }
    out.key("steps").boolean(worker.steps);
    out.key("functions").begin_array();
    for (const std::string& function : worker.functions) out.string(function);
    out.end_array();
    out.key("pause");
    const auto pause = pauses.find(worker.name);
    write_pause(pause == pauses.end() ? nullptr : &pause->second, out);
    out.end_object();
  }
};

std::unexpected<Error> unknown(const std::vector<model::WorkerView>& workers, const std::string& name) {
  std::vector<std::string_view> names;
  for (const model::WorkerView& other : workers) names.push_back(other.name);
  const std::string_view near = nearest(name, names);
  return fail(ErrorCode::not_found,
              "there is no worker \"" + printable(utf8_prefix(name, 128)) + "\"" +
                  (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
}

Result<std::string> listed(Core& core, const model::Survey& survey, const std::string& tag) {
  TRY(const Known known, Known::of(core, survey));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const model::WorkerView& worker : known.all()) {
    if (!tag.empty()) {
      const auto tags = known.facts_of(worker).tags;
      if (!tags || !std::ranges::binary_search(*tags, tag)) continue;
    }
    known.write(worker, out);
  }
  out.end_array().key("next").null().end_object();
  return out.take();
}

Result<std::string> shown(Core& core, const model::Survey& survey, const std::string& name) {
  TRY(const Known known, Known::of(core, survey));
  const std::vector<model::WorkerView> workers = known.all();
  const auto found = std::ranges::find(workers, name, &model::WorkerView::name);
  if (found == workers.end()) return unknown(workers, name);
  JsonText out;
  known.write(*found, out);
  return out.take();
}

// Of one that can hear it.
Status may_drain(const model::Survey& survey, const std::string& name) {
  const auto found = std::ranges::find(survey.workers, name, &model::WorkerView::name);
  if (found == survey.workers.end()) return unknown(survey.workers, name);
  if (found->in_process) {
    return fail(ErrorCode::conflict,
                "worker " + name + " is part of the server's process and ends with it; pause it instead");
  }
  return {};
}

}  // namespace

void list_workers(const CorePtr& core, CallPtr call) {
  if (const auto known = call->only({"tag"}); !known) return call->fail(known.error());
  const std::string tag(call->query("tag").value_or(""));
  if (call->query("tag") && !is_name(tag)) {
    return call->fail({ErrorCode::invalid_request, "a tag has letters, digits, . _ -", "tag"});
  }
  ask_survey(core, call, [core, tag](const model::Survey& survey) { return listed(*core, survey, tag); });
}

void get_worker(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  ask_survey(core, call, [core, name = call->captures.at(0)](const model::Survey& survey) {
    return shown(*core, survey, name);
  });
}

void drain_worker(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const std::string name = call->captures.at(0);
  core->runs.send(model::AskSurvey{}, call->actor, [core, call, name](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    if (const Status may = may_drain(std::get<model::Survey>(reply), name); !may)
      return call->fail(may.error());
    model::PauseCommand drain{.target = {model::BlockerKind::worker_draining, {}, name}};
    drain.lasts = model::kDrainStands;
    core->runs.send(std::move(drain), call->actor, [call, name](model::ReplyBody noted) {
      if (const auto* error = std::get_if<Error>(&noted)) return call->fail(*error);
      JsonText out;
      out.begin_object().key("worker").string(name).end_object();
      call->json(200, out.take());
    });
  });
}

}  // namespace baton::api
