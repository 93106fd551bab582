// Answers compressed by gzip, for clients that ask for it (RFC 9110, sections 8.4 and 12.5.3). Internal to
// net.
//
// Compressed are whole answers of text (JSON, plain text, style sheets) from 1 KiB on, in the thread that
// answers unless that is the loop's, which others wait for. Streams are not: their readers want each piece as
// it comes. Parts (206) are not: they are parts of the plain form.
//
// A tag names one form of a thing, so that of the compressed form is another one ("3f2a" → "3f2a-gzip").
// Handlers do not hear of that: it is put on here when an answer leaves, and taken off when it comes back.
//
// Of the length of a compressed answer somebody who can have texts of his put beside a secret, again and
// again, learns the secret (BREACH). Here sessions stand in a cookie that browsers send from no other site
// (SameSite=Strict), and requests of other sites' pages are refused: nobody can have a request made and see
// its answer's length who could not read it. Still, what has secrets in it stays as it is: pages (they carry
// the token of their session's forms) and answers that set a cookie.
#pragma once

#include "net/http.hpp"

namespace baton::net {

// Whether the fields of a request say that gzip is taken, and no worse than nothing. What cannot be read in
// them counts as not said.
bool takes_gzip(const Headers& request);

// Takes the mark of the compressed form off the tags in If-Match and If-None-Match.
void restore_tags(Headers& request);

// Compresses the body if its kind and size are worth it and `wanted` says so, and tells caches (Vary) if what
// was wanted mattered. Where compressing fails, or the result is not smaller, the answer stays as it is.
void encode(Response& response, bool wanted);

}  // namespace baton::net
