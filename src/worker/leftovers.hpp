// What attempts and workers leave on this machine's disk, and how it goes.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

namespace baton::worker {

// A folder that the steps of a run share (BATON_RUN_DIR).
struct RunFolder {
  RunId run;
  Duration unused;  // since an attempt began or ended there; by the files' times, never below 0
};
std::vector<RunFolder> run_folders(const std::string& scratch, WallTime now);

// Takes a run's folder away in one step, so that an attempt which begins afterwards makes a new one, and
// leaves it to remove_set_aside(). One that is not there: no error.
Status set_aside(const std::string& scratch, const RunId& run);
// Deletes what was set aside, also by a worker that was killed meanwhile. The first thing that could not be
// deleted, if any.
Status remove_set_aside(const std::string& scratch);

// ---- Workers without a name of their own have a folder that nobody comes back to.

// To be called by the one that holds the folder's lock.
Status mark_temporary(const std::string& worker_folder);
// Deletes, beside `worker_folder`, those that are marked and whose worker has died.
void remove_abandoned(const std::string& worker_folder);

// All of a folder, as far as that goes.
void remove_folder(const std::string& path);

// The file that a worker holds locked while it uses its folder.
std::string lock_path(const std::string& worker_folder);

}  // namespace baton::worker
