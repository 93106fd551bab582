// How states, times and errors of the API's objects read on a terminal.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "cli/console.hpp"

namespace baton::cli {

// "✓", "✗", "●" …; one column.
std::string_view symbol(std::string_view status);
// Text in the state's colour.
std::string in_colour_of(std::string_view status, std::string_view text, const Style& style);

// "12.3s", "4m 05s", "2h 10m"; fixed forms, so that a column of them does not dance.
std::string short_duration(Duration duration);
// Of an object with "duration", or "started_at" and no "ended_at" (then until `now`); "" if it has not
// started.
std::string duration_of(const boost::json::object& object, std::optional<WallTime> now = std::nullopt);
// How long until the next attempt, of an event with "delay": "90ms", "1.5s", "4m 05s".
std::string delay_of(const boost::json::object& event);
// "2026-11-21 01:46:00", in UTC.
std::string short_time(const boost::json::object& object, std::string_view field);
// "exit: it failed", for a terminal; or "".
std::string error_of(const boost::json::object& object);

// The whole text, lines after the first behind `margin`; or "".
std::string full_error_of(const boost::json::object& object, std::string_view margin);

WallTime wall_now();
// An instant, or how long ago ("10m"). usage, with the flag's name.
Result<WallTime> instant_of(std::string_view flag, const std::string& text);

// What a task, or a fact `task.progress`, says about how far it is: "40% epoch 4 of 10"; "" if nothing.
std::string progress_of(const boost::json::object& task);

// Of a task: "build", "build[3]" of an item, or "cleanup of build" of one that serves another.
std::string step_of(const boost::json::object& task);
// What a task, or a fact `task.waiting`, says it waits for: "signal go", "an approval: Deploy?"; "" if
// nothing.
std::string wait_of(const boost::json::object& task);

}  // namespace baton::cli
