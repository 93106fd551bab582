#include "base/markup.hpp"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Markup, NothingInATextEndsIt) {
  EXPECT_EQ(escape_markup(R"(<a href="x" id='y'>&amp;</a>)"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
  EXPECT_EQ(escape_markup("grün\n"), "grün\n");
  EXPECT_EQ(escape_markup(""), "");
}

}  // namespace
}  // namespace baton
