#include "answers.hpp"

#include <optional>
#include <random>

#include "net/url.hpp"

namespace baton::v0 {

std::string random_key() {
  constexpr char kHex[] = "0123456789abcdef";
  std::random_device random;
  std::string key;
  for (int i = 0; i < 4; ++i) {
    std::uint32_t bits = random();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4) key += kHex[bits & 15];
  }
  return key;
}

std::string text_of(const Json& json) {
  const std::string* text = json.if_string();
  return text != nullptr ? *text : std::string();
}
std::uint32_t number_of(const Json& json) {
  return json.is_integer() ? json.try_get<std::uint32_t>().value_or(0U) : 0;
}
namespace {
std::optional<FailureInfo> failure_of(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  return FailureInfo{text_of(json["type"]), text_of(json["message"])};
}
}  // namespace

Run run_of(Json shown) {
  Run run;
  run.raw = std::move(shown);
  const Json& raw = run.raw;
  run.id = text_of(raw["id"]);
  run.workflow = text_of(raw["workflow"]);
  run.version = number_of(raw["version"]);
  run.status = text_of(raw["status"]);
  if (raw["progress"].is_number()) run.progress = raw["progress"].get<double>();
  run.job_id = text_of(raw["job_id"]);
  run.error = failure_of(raw["error"]);
  run.input = raw["input"];
  run.metadata = raw["metadata"];
  run.recovery_attempts = number_of(raw["recovery_attempts"]);
  return run;
}

TaskRow task_of(Json shown) {
  TaskRow task;
  task.raw = std::move(shown);
  const Json& raw = task.raw;
  task.id = text_of(raw["id"]);
  task.step = text_of(raw["step"]);
  if (raw["index"].is_integer()) task.index = number_of(raw["index"]);
  task.status = text_of(raw["status"]);
  task.attempts = number_of(raw["attempts"]);
  task.result = raw["result"];
  task.error = failure_of(raw["error"]);
  return task;
}

bool may_pass(baton::ErrorCode code) {
  return code == baton::ErrorCode::unavailable || code == baton::ErrorCode::io ||
         code == baton::ErrorCode::overloaded;
}

Error refusal_of(const baton::net::Response& response) {
  const Result<Json> problem = Json::parse(response.body);
  if (problem && (*problem)["detail"].is_string()) {
    const auto code = baton::error_code_from_name(text_of((*problem)["code"]));
    return {static_cast<Code>(code.value_or(baton::ErrorCode::io)), text_of((*problem)["detail"]),
            text_of((*problem)["pointer"])};
  }
  return {response.status >= 500 ? Code::unavailable : Code::io,
          "the server answered with status " + std::to_string(response.status), ""};
}

std::string path_of(std::string_view nouns, std::string_view id, std::string_view verb) {
  std::string path = "/api/v1/" + std::string(nouns) + '/' + baton::net::percent_encode(id);
  if (!verb.empty()) path += '/' + std::string(verb);
  return path;
}

Json body_of(std::initializer_list<JsonObject::Member> members) {
  Json body = Json::object();
  for (const auto& [name, value] : members) {
    const std::string* text = value.if_string();
    if (!value.is_null() && (text == nullptr || !text->empty())) body.set(name, value);
  }
  return body;
}

std::string query_of(std::initializer_list<std::pair<const char*, std::string_view>> words) {
  std::string query;
  for (const auto& [name, value] : words) {
    if (value.empty()) continue;
    query += query.empty() ? '?' : '&';
    query += std::string(name) + '=' + baton::net::percent_encode(value);
  }
  return query;
}

}  // namespace baton::v0
