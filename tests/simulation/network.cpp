#include "network.hpp"

#include <memory>

#include "describe.hpp"

namespace baton::simulation {

Duration Network::delay() {
  if (!has(Switch::delays)) return Duration::micros(100);
  return Duration::micros(random_.up_to(one_in(20) ? 40'000'000 : 50'000));
}

void Network::deliver(const model::CommandBody& body, const std::string& actor, Answer answer) {
  const std::string command(model::name(body));
  diary_.note("{} sends {}", actor, describe(body));
  world_.send(body, actor, [this, body, command, answer = std::move(answer)](const model::ReplyBody& reply) {
    if (const auto* error = std::get_if<Error>(&reply)) {
      diary_.hit("refused: " + command + ", " + std::string(info(error->code).name));
      for (const std::string& refusal : refusals_in(error->message)) diary_.hit(refusal);
    } else {
      diary_.hit("accepted: " + command);
    }
    diary_.note("  answer to {}: {}", command, describe(reply));
    checker_.reply_leaves(body, reply);
    answer(reply);
  });
}

void Network::call(model::CommandBody body, std::string actor, Duration patience, Answer answer) {
  // The first answer counts, and none after the patience is over.
  auto waiting = std::make_shared<Answer>(std::move(answer));
  const auto give = [waiting](const std::optional<model::ReplyBody>& reply) {
    if (!*waiting) return;
    const Answer taken = std::exchange(*waiting, nullptr);
    taken(reply);
  };
  world_.after(patience, [give] { give(std::nullopt); });
  int copies = 1;
  if (has(Switch::lost_requests) && one_in(20)) {
    copies = 0;
    diary_.hit("network: request lost");
  } else if (has(Switch::repeated_requests) && one_in(20)) {
    copies = 2;
    diary_.hit("network: request repeated");
  }
  for (int i = 0; i < copies; ++i) {
    world_.after(delay(), [this, body, actor, give] {
      deliver(body, actor, [this, give](const std::optional<model::ReplyBody>& reply) {
        if (has(Switch::lost_replies) && one_in(20)) {
          diary_.hit("network: reply lost");
          diary_.note("  (that answer is lost)");
          return;
        }
        world_.after(delay(), [give, reply] { give(reply); });
      });
    });
  }
}

void Network::call_inside(model::CommandBody body, std::string actor, Answer answer) {
  deliver(body, actor, std::move(answer));
}

}  // namespace baton::simulation
