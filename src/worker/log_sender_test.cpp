#include "worker/log_sender.hpp"

#include <gtest/gtest.h>

namespace baton::worker {
namespace {

TEST(LogSender, WhatIsSaidAboutTheLogIsALineOfItsOwn) {
  const Output note = output_of({.stream = logs::Stream::note, .bytes = "40 bytes could not be logged"});
  EXPECT_EQ(note.stream, logs::Stream::err);
  EXPECT_EQ(note.text, "40 bytes could not be logged\n");
  const Output gap = output_of({.stream = logs::Stream::gap, .dropped = 7});
  EXPECT_EQ(gap.stream, logs::Stream::err);
  EXPECT_EQ(gap.text, "7 bytes of output were dropped on the worker\n");
}

TEST(LogSender, OutputIsTextAsItWas) {
  const Output out = output_of({.stream = logs::Stream::out, .bytes = "a\xff\nb"});
  EXPECT_EQ(out.stream, logs::Stream::out);
  EXPECT_EQ(out.text, "a\xEF\xBF\xBD\nb");
  EXPECT_EQ(output_of({.stream = logs::Stream::err, .bytes = "e"}).stream, logs::Stream::err);
}

}  // namespace
}  // namespace baton::worker
