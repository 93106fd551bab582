// What operators ask of a server besides runs, each call by its path.
#include <baton/client.hpp>

#include "client_impl.hpp"

namespace baton::v0 {

// ---- Deciding about tasks

Result<TaskRow> Client::retry_task(std::string_view task, std::string_view reason) {
  return impl_->decide(task, "retry", body_of({{"reason", reason}}));
}
Result<TaskRow> Client::skip_task(std::string_view task, std::string_view reason) {
  return impl_->decide(task, "skip", body_of({{"reason", reason}}));
}
Result<TaskRow> Client::complete_task(std::string_view task, const Json& result, std::string_view reason) {
  Json body = body_of({{"reason", reason}});
  body.set("result", result);
  return impl_->decide(task, "complete", body);
}
Result<TaskRow> Client::fail_task(std::string_view task, std::string_view reason) {
  return impl_->decide(task, "fail", body_of({{"reason", reason}}));
}
Result<std::vector<Json>> Client::approvals(std::string_view run) {
  return impl_->items("/api/v1/approvals" + query_of({{"run", run}}));
}
Result<TaskRow> Client::approve(std::string_view task, const Json& value, std::string_view reason) {
  Json body = body_of({{"reason", reason}});
  if (!value.is_null()) body.set("value", value);
  return impl_->decide(task, "approve", body);
}
Result<TaskRow> Client::reject(std::string_view task, std::string_view reason) {
  return impl_->decide(task, "reject", body_of({{"reason", reason}}));
}

// ---- What failed for good

Result<std::vector<Json>> Client::dead_letters(const DeadLetterFilter& filter) {
  return impl_->items("/api/v1/dead-letters" + query_of({{"workflow", filter.workflow},
                                                         {"step", filter.step},
                                                         {"error_type", filter.error_type},
                                                         {"group", filter.group}}));
}
Result<Json> Client::dead_letter(std::string_view letter) {
  return impl_->get(path_of("dead-letters", letter));
}
Result<Json> Client::replay_dead_letter(std::string_view letter, const Json& arguments,
                                        std::string_view reason) {
  return impl_->post(path_of("dead-letters", letter, "replay"),
                     body_of({{"arguments", arguments}, {"reason", reason}}));
}
Result<std::uint64_t> Client::discard_dead_letters(const std::vector<std::string>& letters) {
  const Result<Json> answer =
      impl_->post("/api/v1/dead-letters/discard", Json::object({{"ids", Json::of(letters)}}));
  if (!answer) return answer.error();
  return (*answer)["discarded"].try_get<std::uint64_t>();
}

// ---- Workflows, queues, workers, secrets

Result<std::vector<Json>> Client::workflows() {
  return impl_->items("/api/v1/workflows");
}
Result<Json> Client::workflow(std::string_view name, std::uint32_t version) {
  return impl_->get(path_of("workflows", name) + (version == 0 ? "" : "?version=" + std::to_string(version)));
}
Result<std::vector<Json>> Client::versions(std::string_view workflow) {
  return impl_->items(path_of("workflows", workflow, "versions"));
}
Result<std::vector<Json>> Client::queues() {
  return impl_->items("/api/v1/queues", false);
}
Status Client::pause_queue(std::string_view queue, std::string_view reason) {
  return impl_->done(impl_->post(path_of("queues", queue, "pause"), body_of({{"reason", reason}})));
}
Status Client::resume_queue(std::string_view queue) {
  return impl_->done(impl_->post(path_of("queues", queue, "resume"), Json::object()));
}
Result<std::vector<Json>> Client::workers(std::string_view tag) {
  return impl_->items("/api/v1/workers" + query_of({{"tag", tag}}), false);
}
Status Client::pause_worker(std::string_view worker, std::string_view reason) {
  return impl_->done(impl_->post(path_of("workers", worker, "pause"), body_of({{"reason", reason}})));
}
Status Client::resume_worker(std::string_view worker) {
  return impl_->done(impl_->post(path_of("workers", worker, "resume"), Json::object()));
}
Status Client::drain_worker(std::string_view worker) {
  return impl_->done(impl_->post(path_of("workers", worker, "drain"), Json::object()));
}
Result<std::vector<Json>> Client::secrets() {
  return impl_->items("/api/v1/secrets", false);
}
Status Client::set_secret(std::string_view name, std::string_view value, std::string_view reason) {
  return impl_->done(impl_->ask(baton::net::Method::put, path_of("secrets", name),
                                body_of({{"value", value}, {"reason", reason}}), {}, false));
}
Status Client::delete_secret(std::string_view name) {  // once: a repetition would find nothing
  return impl_->done(impl_->ask(baton::net::Method::delete_, path_of("secrets", name), {}, {}, true));
}

// ---- Everything else

Result<Json> Client::request(std::string_view method, std::string_view path, const Json& body) {
  const auto verb = baton::net::method_from(method);
  if (!verb || !path.starts_with('/')) {
    return Error{Code::usage, "a request has a method, as GET or POST, and a path that begins with /", ""};
  }
  return impl_->ask(*verb, std::string(path), body, {}, true);
}

}  // namespace baton::v0
