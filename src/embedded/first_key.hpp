// The key that lets the first person in.
#pragma once

#include <string>

#include "base/error.hpp"
#include "runtime/handle.hpp"
#include "store/store.hpp"

namespace baton::embedded {

// Where the first key of a data directory's server is, mode 0600.
std::string first_key_path(const std::string& data_dir);

// Makes the key `admin` if there never was one: first its file, then its record, so that a crash in between
// is mended by the next call. One that was revoked stays so, and one whose file was removed lets in who has
// kept it. Not on the loop's thread. bad_configuration: the file has something else in it; io; and what the
// command fails with.
Status ensure_first_key(const std::string& data_dir, store::Reader& store, runtime::Handle& runs);

}  // namespace baton::embedded
