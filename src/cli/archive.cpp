#include "cli/archive.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>

namespace baton::cli {
namespace {

constexpr std::size_t kBlock = 512;

// Fields of a header of IEEE Std 1003.1 (pax, ustar): where they begin, and how long they are.
struct Field {
  std::size_t at;
  std::size_t length;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kOwner{108, 8}, kGroup{116, 8}, kSize{124, 12}, kTime{136, 12},
    kSum{148, 8}, kType{156, 1}, kMagic{257, 8}, kPrefix{345, 155};

using Header = std::array<char, kBlock>;

void put(Header& header, Field field, std::string_view text) {
  assert(text.size() <= field.length);
  std::ranges::copy(text, header.begin() + static_cast<std::ptrdiff_t>(field.at));
}

void put_octal(Header& header, Field field, std::uint64_t number) {
  for (std::size_t i = field.length - 1; i-- > 0; number >>= 3) {
    header[field.at + i] = static_cast<char>('0' + (number & 7));
  }
}

}  // namespace

std::string tar_of(std::string_view folder, const std::vector<PackedFile>& files, WallTime at) {
  std::string out;
  for (const PackedFile& file : files) {
    Header header{};
    put(header, kName, file.name);
    put_octal(header, kMode, 0600);
    put_octal(header, kOwner, 0);
    put_octal(header, kGroup, 0);
    put_octal(header, kSize, file.text.size());
    put_octal(header, kTime, static_cast<std::uint64_t>(std::max<std::int64_t>(at.us / 1'000'000, 0)));
    put(header, kType, "0");
    put(header, kMagic, std::string_view("ustar\00000", 8));
    put(header, kPrefix, folder);
    put(header, kSum, "        ");  // counts as blanks in its own sum
    std::uint64_t sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put_octal(header, {kSum.at, 7}, sum);
    header[kSum.at + 6] = '\0';
    out.append(header.data(), header.size());
    out += file.text;
    out.append((kBlock - file.text.size() % kBlock) % kBlock, '\0');
  }
  out.append(2 * kBlock, '\0');
  return out;
}

}  // namespace baton::cli
