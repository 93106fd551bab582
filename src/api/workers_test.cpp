#include "api/workers.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <utility>

namespace baton::api {
namespace {

// Destroyed unrun at once: the workers have been stopped.
bool is_refused(Workers& workers) {
  auto probe = std::make_shared<int>(0);
  const std::weak_ptr<int> alive = probe;
  workers.post([probe = std::move(probe)] {});
  return alive.expired();
}

TEST(Workers, WhatWasPostedIsDoneBeforeTheyStop) {
  Workers workers(1);
  std::atomic<int> done = 0;
  workers.post([&] {  // keeps the only thread until stop() has been called
    while (!is_refused(workers)) std::this_thread::yield();
    ++done;
  });
  workers.post([&] { ++done; });
  workers.stop();
  EXPECT_EQ(done, 2);
  workers.post([&] { ++done; });
  workers.stop();
  EXPECT_EQ(done, 2);
}

}  // namespace
}  // namespace baton::api
