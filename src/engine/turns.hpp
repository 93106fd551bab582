// Fair turns between the fair keys of a queue (SEMANTICS 39): start-time fair queueing (Goyal, Vin, Cheng:
// "Start-time Fair Queueing", SIGCOMM 1996) with a task as the unit.
//
// Each task gets a turn when it joins the queue: the turn of the task that started last, or, if its key has
// tasks with later ones, the one after the last of these. Tasks of one priority start in the order of their
// turns. So a key that joins stands at most one task of each other key behind the front, however many tasks
// those have; and keys that always have tasks start equally many, or as many times more as their weight says:
// the next turn of a key with weight 3 is a third of a turn later. A weight that changes counts for tasks
// that join from then on.
//
// A task that something held back keeps its turn. Turns are part of the tasks' rows; a new owner finds from
// them who has had which. What it cannot know are runs that have ended: then the first task that waits says
// where the queue is.
#pragma once

#include <cstdint>
#include <string>

#include "engine/state.hpp"

namespace baton::engine {

// From one turn of a key with weight 1 to its next: a multiple of every weight to 16, so that small ones are
// exact.
inline constexpr std::uint64_t kTurn = 720'720;

// The turn of a task with this key that joins the queue now.
std::uint64_t take_turn(Queue& queue, std::uint8_t priority, const std::string& fair_key,
                        std::uint32_t weight = 1);
// After a load: a task that waits has this turn.
void remember_turn(Queue& queue, std::uint8_t priority, const std::string& fair_key, std::uint64_t turn,
                   std::uint32_t weight = 1);

// A task with this turn starts, or has started.
void note_turn(Queue& queue, std::uint8_t priority, std::uint64_t turn);

}  // namespace baton::engine
