#include "secrets/redactor.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstring>
#include <set>

#include "base/json.hpp"
#include "secrets/forms.hpp"

namespace baton::secrets {
namespace {

namespace json = boost::json;

constexpr std::size_t kPrefix = 4;  // bytes that are hashed; no form is shorter
constexpr unsigned kHashBits = 15;  // a bitmap of 4 KiB stays in the processor's cache
constexpr std::size_t kHashes = std::size_t{1} << kHashBits;

std::uint32_t hash_at(const char* text) {
  std::uint32_t word = 0;
  std::memcpy(&word, text, sizeof word);
  return word * 2654435761U >> (32 - kHashBits);
}

bool is_number_part(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

// Behind the string that begins at `at`; npos: it does not end.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::shared_ptr<const Redactor> Redactor::of(std::span<const std::string> values) {
  std::set<std::string> all;
  for (const std::string& value : values) {
    for (std::string& form : forms_of(value)) all.insert(std::move(form));
  }
  if (all.empty()) return nullptr;
  return std::make_shared<const Redactor>(std::vector<std::string>(all.begin(), all.end()));
}

Redactor::Redactor(std::vector<std::string> forms)
    : forms_(std::move(forms)), first_form_(kHashes + 1), bitmap_(kHashes / 64), by_byte_(256) {
  std::erase_if(forms_, [](const std::string& form) { return form.size() < kPrefix; });
  std::ranges::sort(forms_, [](const std::string& a, const std::string& b) {
    const std::uint32_t left = hash_at(a.data());
    const std::uint32_t right = hash_at(b.data());
    return left != right ? left < right : a.size() > b.size();
  });
  for (std::uint32_t i = 0; i < forms_.size(); ++i) {
    const std::uint32_t hash = hash_at(forms_[i].data());
    ++first_form_[hash + 1];
    bitmap_[hash / 64] |= std::uint64_t{1} << hash % 64;
    by_byte_[static_cast<unsigned char>(forms_[i].front())].push_back(i);
  }
  for (std::size_t i = 0; i < kHashes; ++i) first_form_[i + 1] += first_form_[i];
}

Redactor::Match Redactor::match(std::string_view text, std::size_t at, bool last) const {
  const std::string_view rest = text.substr(at);
  Match found;
  if (rest.size() < kPrefix) {
    if (last) return found;
    const auto& candidates = by_byte_[static_cast<unsigned char>(rest.front())];
    found.may_go_on =
        std::ranges::any_of(candidates, [&](std::uint32_t i) { return forms_[i].starts_with(rest); });
    return found;
  }
  const std::uint32_t hash = hash_at(rest.data());
  for (std::uint32_t i = first_form_[hash]; i < first_form_[hash + 1]; ++i) {
    const std::string& form = forms_[i];
    if (form.size() > rest.size()) {
      found.may_go_on = found.may_go_on || (!last && form.starts_with(rest));
    } else if (rest.starts_with(form)) {
      found.length = form.size();
      break;  // the others are not longer
    }
  }
  return found;
}

std::size_t Redactor::run(std::string_view text, bool last, Progress& progress, std::string& out) const {
  std::size_t plain = progress.masked_until;  // where text begins that is neither shown nor masked yet
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (at + kPrefix <= text.size()) {
      const std::uint32_t hash = hash_at(text.data() + at);
      if ((bitmap_[hash / 64] >> hash % 64 & 1U) == 0) continue;
    }
    const Match found = match(text, at, last);
    if (found.may_go_on) break;
    if (found.length == 0) continue;
    // Secrets that overlap or touch have one mask together.
    if (!progress.masking || at > progress.masked_until) {
      out.append(text.substr(plain, at - plain)).append(kMask);
      progress.masking = true;
    }
    progress.masked_until = std::max(progress.masked_until, at + found.length);
    plain = progress.masked_until;
  }
  if (plain < at) {
    out.append(text.substr(plain, at - plain));
    progress = {};
  } else {
    progress.masked_until -= at;
  }
  return at;
}

std::string Redactor::mask(std::string_view text) const {
  std::string out;
  Progress progress;
  run(text, true, progress, out);
  return out;
}

bool Redactor::finds(std::string_view text) const {
  for (std::size_t at = 0; at + kPrefix <= text.size(); ++at) {
    const std::uint32_t hash = hash_at(text.data() + at);
    if ((bitmap_[hash / 64] >> hash % 64 & 1U) != 0 && match(text, at, true).length > 0) return true;
  }
  return false;
}

std::string Redactor::mask_json(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      const std::size_t end = end_of_string(text, at);
      if (end == std::string_view::npos) return mask(text);
      const std::string_view written = text.substr(at, end - at);
      at = end;
      if (written.find('\\') == std::string_view::npos) {
        out.append("\"").append(mask(written.substr(1, written.size() - 2))).append("\"");
        continue;
      }
      json::error_code error;
      const json::value value = parse_json(written, error);
      if (error) return mask(text);
      const json::string& string = value.get_string();
      const std::string_view meant(string.data(), string.size());
      const std::string masked = mask(meant);
      out += masked == meant ? std::string(written)
                             : json::serialize(json::string(masked.data(), masked.size()));
    } else if (is_number_part(text[at])) {
      std::size_t end = at;
      while (end < text.size() && is_number_part(text[end])) ++end;
      const std::string_view number = text.substr(at, end - at);
      at = end;
      if (finds(number)) {
        out.append("\"").append(kMask).append("\"");
      } else {
        out += number;
      }
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string_view RedactedStream::next(std::string_view piece) {
  if (!redactor_) return piece;
  const bool joined = !held_.empty();
  if (joined) held_ += piece;
  const std::string_view text = joined ? std::string_view(held_) : piece;
  out_.clear();
  const std::size_t done = redactor_->run(text, false, progress_, out_);
  std::string rest(text.substr(done));
  held_ = std::move(rest);
  return out_;
}

std::string_view RedactedStream::finish() {
  if (!redactor_) return {};
  out_.clear();
  redactor_->run(held_, true, progress_, out_);
  held_.clear();
  progress_ = {};
  return out_;
}

}  // namespace baton::secrets
