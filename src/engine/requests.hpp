// Requests that came with an idempotency key and were done: the same one again gets the first answer again.
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/command.hpp"

namespace baton::engine {

// True: the command's key was used lately, and it has its answer: the first one, or idempotency_mismatch.
// Submissions are none of its concern: their keys count for as long as their run lives (commands/submit.cpp).
bool answer_again(State& state, const model::Command& command, const Moment& moment, Effects& effects);

// Keeps what a command with a key was answered, with what it changed, in one commit. Refusals changed nothing
// and are not kept. The oldest beyond model::kMaxRequestsKept go, and so do those that count no more.
void remember(State& state, const model::Command& command, const Moment& moment, Effects& effects);

}  // namespace baton::engine
