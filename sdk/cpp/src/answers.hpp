// What requests and answers of the API are made of, as values of the SDK.
#pragma once

#include <baton/client.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "net/http.hpp"

namespace baton::v0 {

// 128 random bits, as an idempotency key.
std::string random_key();

// "" and 0 of what is something else.
std::string text_of(const Json& json);
std::uint32_t number_of(const Json& json);
Run run_of(Json shown);
TaskRow task_of(Json shown);

// Whether a call is worth repeating.
bool may_pass(baton::ErrorCode code);
// What an answer says that is none of success.
Error refusal_of(const baton::net::Response& response);

// "/api/v1/tasks/ID/retry"
std::string path_of(std::string_view nouns, std::string_view id, std::string_view verb = {});
// An object of the members that are said: neither null nor empty texts.
Json body_of(std::initializer_list<JsonObject::Member> members);
// "?run=…", of the words that are said.
std::string query_of(std::initializer_list<std::pair<const char*, std::string_view>> words);

}  // namespace baton::v0
