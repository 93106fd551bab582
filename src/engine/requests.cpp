#include "engine/requests.hpp"

#include "base/text.hpp"
#include "model/request_use.hpp"

namespace baton::engine {
namespace {

using model::NumberedRequest;

constexpr int kForgottenAtOnce = 4;  // more than come in, so that they get fewer

// A request with its key as it is kept, and as the caller knows it.
struct Asked {
  model::RequestKey request;
  std::string_view key;
};

// Two runs may get signals with the same key: those of a run are its own.
std::optional<Asked> asked_by(const model::Command& command) {
  if (command.reply_to == 0 || std::holds_alternative<model::SubmitRun>(command.body)) return std::nullopt;
  if (const auto* signal = std::get_if<model::SendSignal>(&command.body)) {
    if (signal->key.empty()) return std::nullopt;
    return Asked{{"signal." + signal->run.text() + '.' + signal->key, signal->body}, signal->key};
  }
  if (command.request.key.empty()) return std::nullopt;
  return Asked{command.request, command.request.key};
}

const model::RecordKey kFirstNumber = model::request_number_key(0);

// nullopt: there is none. A damaged one has the number 0.
std::optional<NumberedRequest> oldest(const State& state, model::RecordKey& key) {
  for (auto at = state.records.lower_bound(kFirstNumber);
       at != state.records.end() && at->first.kind == model::RecordKind::request; ++at) {
    if (!at->second.record) continue;
    key = at->first;
    return model::numbered_request_of(*at->second.record).value_or(NumberedRequest{});
  }
  return std::nullopt;
}

std::uint64_t newest(const State& state) {
  auto at = state.records.upper_bound(model::request_number_key(UINT64_MAX));
  while (at != state.records.begin()) {
    --at;
    if (at->first < kFirstNumber) break;
    if (!at->second.record) continue;
    if (const auto found = model::numbered_request_of(*at->second.record)) return found->number;
  }
  return 0;
}

void forget_old(State& state, std::uint64_t next, const Moment& moment, Effects& effects) {
  for (int i = 0; i < kForgottenAtOnce; ++i) {
    model::RecordKey key;
    const auto old = oldest(state, key);
    if (!old) return;
    const bool counts = old->number != 0 && old->at + state.settings.idempotency_kept > moment.wall;
    if (counts && next - old->number < model::kMaxRequestsKept) return;
    effects.erase(key);
    if (old->number == 0) continue;
    // The key may have been used again since, under another number.
    const model::RecordKey by_key = model::request_use_key(old->key);
    const model::Record* record = state.record(by_key);
    const auto use = record == nullptr ? Result<model::RequestUse>(fail(ErrorCode::not_found, ""))
                                       : model::request_use_of(*record);
    if (record != nullptr && (!use || use->number == old->number)) effects.erase(by_key);
  }
}

}  // namespace

bool answer_again(State& state, const model::Command& command, const Moment& moment, Effects& effects) {
  const auto asked = asked_by(command);
  if (!asked) return false;
  const auto& [key, body] = asked->request;
  if (key.size() > model::kMaxRequestKey) {
    effects.reply(
        command.reply_to,
        Error{ErrorCode::invalid_request,
              "an idempotency key has at most " + std::to_string(model::kMaxRequestKey) + " bytes", ""});
    return true;
  }
  const model::Record* record = state.record(model::request_use_key(key));
  if (record == nullptr) return false;
  // What is damaged is as what was never there.
  const auto use = model::request_use_of(*record);
  if (!use || use->at + state.settings.idempotency_kept <= moment.wall) return false;
  if (use->body != body) {
    effects.reply(command.reply_to,
                  Error{ErrorCode::idempotency_mismatch,
                        "the idempotency key \"" + printable(asked->key) +
                            "\" was used for another request; use a new key, or repeat the same request",
                        ""});
    return true;
  }
  auto answer = model::answer_of(use->answer);
  if (!answer) return false;
  effects.reply(command.reply_to, std::move(*answer));
  return true;
}

void remember(State& state, const model::Command& command, const Moment& moment, Effects& effects) {
  auto asked = asked_by(command);
  if (!asked) return;
  const model::ReplyBody* answer = effects.replied(command.reply_to);
  if (answer == nullptr) return;
  auto packed = model::packed(*answer);
  if (!packed) return;
  const std::uint64_t number = newest(state) + 1;
  forget_old(state, number, moment, effects);
  const model::RequestUse use{.key = std::move(asked->request.key),
                              .body = asked->request.body,
                              .number = number,
                              .answer = std::move(*packed),
                              .at = moment.wall};
  effects.put(model::to_record(use));
  effects.put(model::number_record(use));
}

}  // namespace baton::engine
