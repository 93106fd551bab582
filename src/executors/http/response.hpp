// How a response becomes the outcome of its attempt. Pure.
#pragma once

#include <string>

#include "base/time.hpp"
#include "executors/http/request.hpp"
#include "model/outcome.hpp"
#include "net/http.hpp"

namespace baton::executors::http {

// An expected status: completed with
//
//   {"status": 200, "headers": {"content-type": "…"}, "body": …}
//
// `body` is JSON if the content type is application/json, text/json or ends with +json; null if there is
// none; else text: UTF-8, or ISO-8859-1 if the content type says so; bytes that are neither become U+FFFD.
// Fields that stand several times are joined with ", ", Set-Cookie with line breaks. Fails with `validation`,
// never retried: JSON that is none, a body that does not fit `response_schema` (the message has the JSON
// pointer), a body that is compressed without being asked for.
//
// Any other status: failed, `http`, with the status, the server's words as far as they are short text,
// Retry-After as the wish for the delay (`now` is what a date is measured against), and the response as the
// partial result. `redactor` masks what is cut; all that is left uncut is the caller's to mask.
model::Outcome outcome_of(const Request& request, const net::Response& response, WallTime now,
                          const secrets::Redactor* redactor = nullptr);

// "200 OK, application/json, 123 bytes": for the log.
std::string outline(const net::Response& response);

// The request as messages and logs show it: "POST http://nlp:8001/process".
std::string outline(const Request& request);

}  // namespace baton::executors::http
