// Pages for people: one frame, one style, no scripts.
#pragma once

#include <string>
#include <string_view>

#include "api/call.hpp"

namespace baton::api {

struct Page {
  int status = 200;
  std::string_view title;
  std::string content;  // HTML
  bool wide = false;    // text to be read, else a card
  net::Headers headers = {};
};

// Nothing on it may be loaded from elsewhere, framed, or kept by caches.
void respond_page(Call& call, Page page);

}  // namespace baton::api
