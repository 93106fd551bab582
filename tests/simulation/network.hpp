// Between clients and the owner: requests and replies are lost, repeated, late and out of order. Who is
// inside of the owner's process does not use it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "checker.hpp"
#include "diary.hpp"
#include "options.hpp"
#include "simulate/world.hpp"

namespace baton::simulation {

class Network {
 public:
  // nullopt: no answer within the caller's patience. Called exactly once.
  using Answer = std::function<void(const std::optional<model::ReplyBody>&)>;

  Network(simulate::World& world, const Options& options, Diary& diary, Checker& checker)
      : world_(world),
        options_(options),
        diary_(diary),
        checker_(checker),
        random_(stream(options.seed, Stream::network)) {}

  void call(model::CommandBody body, std::string actor, Duration patience, Answer answer);
  // From within the owner's process: nothing is lost on the way, the owner's death answers `unavailable`.
  void call_inside(model::CommandBody body, std::string actor, Answer answer);
  void calm() { calm_ = true; }

 private:
  bool has(Switch fault) const { return !calm_ && options_.has(fault); }
  bool one_in(int n) { return random_.up_to(n - 1) == 0; }
  Duration delay();
  void deliver(const model::CommandBody& body, const std::string& actor, Answer answer);

  simulate::World& world_;
  const Options& options_;
  Diary& diary_;
  Checker& checker_;
  engine::Random random_;
  bool calm_ = false;
};

}  // namespace baton::simulation
