// The one redactor: puts *** in place of secrets, whatever form they turn up in (forms.hpp). It stands before
// everything that is kept or shown of what attempts print, return and report, and before any cut: half a
// secret is not found any more.
//
// How: a bitmap of hashes of the first four bytes of all forms decides nearly every position; where it does
// not, the forms that begin so are compared. One pass, about 1 ns per byte, whatever the number of secrets.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace baton::secrets {

inline constexpr std::string_view kMask = "***";

// Immutable: any thread.
class Redactor {
 public:
  // Null if there is nothing to mask. Values shorter than 4 bytes are left out.
  static std::shared_ptr<const Redactor> of(std::span<const std::string> values);

  explicit Redactor(std::vector<std::string> forms);

  std::string mask(std::string_view text) const;
  // The same in the strings, names and numbers of a JSON text, however they are written; a number that has a
  // secret in it becomes the string "***". What is no JSON is treated as text. The result is JSON if `json`
  // was.
  std::string mask_json(std::string_view json) const;
  bool finds(std::string_view text) const;

 private:
  friend class RedactedStream;
  struct Match {
    std::size_t length = 0;  // of the longest form that stands here; 0 = none
    bool may_go_on = false;  // a longer one may, once there is more text
  };
  // A run over a piece of a text.
  struct Progress {
    std::size_t masked_until = 0;  // bytes from the piece's beginning that a mask has taken the place of
    bool masking = false;          // a mask stands directly before the piece, or goes into it
  };

  Match match(std::string_view text, std::size_t at, bool last) const;
  // Appends what `text` comes to. Unless it is the last piece, what may be the beginning of a secret is left:
  // returns how many bytes are done with; `progress` counts from there.
  std::size_t run(std::string_view text, bool last, Progress& progress, std::string& out) const;

  std::vector<std::string> forms_;                   // by their hash, longest first
  std::vector<std::uint32_t> first_form_;            // of each hash, and one more
  std::vector<std::uint64_t> bitmap_;                // of hashes that there are
  std::vector<std::vector<std::uint32_t>> by_byte_;  // forms by their first byte
};

// A text that comes in pieces. What may be the beginning of a secret waits for the next piece.
class RedactedStream {
 public:
  // Null: nothing is masked.
  explicit RedactedStream(std::shared_ptr<const Redactor> redactor = nullptr)
      : redactor_(std::move(redactor)) {}

  // What can be shown now; valid until the next call, and as long as `piece` is.
  std::string_view next(std::string_view piece);
  // The rest, when there is no more.
  std::string_view finish();
  // Bytes that wait.
  std::size_t waiting() const { return held_.size(); }

 private:
  std::shared_ptr<const Redactor> redactor_;
  Redactor::Progress progress_;
  std::string held_;
  std::string out_;
};

}  // namespace baton::secrets
