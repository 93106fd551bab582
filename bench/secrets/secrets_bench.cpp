// What masking costs: the same output (64 KiB at a time, as a pipe gives it) through the redactor alone, and
// through the redactor into an attempt's log, with no secret, 20 and 200. CPU time of the thread; the
// variants take turns, and the median of the rounds counts, because only their ratio means something.
//
//   secrets_bench [MiB per round] [rounds]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "logs/writer.hpp"
#include "secrets/redactor.hpp"

namespace {

using namespace baton;

constexpr std::size_t kPiece = 64 << 10;

double cpu_now() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// Lines as programs print them: words, numbers, an id here and there.
std::string make_output(std::size_t size) {
  std::mt19937 random(1);
  std::string text;
  while (text.size() < size) {
    text += "2026-11-21T12:00:00.123Z INFO  worker-" + std::to_string(random() % 16) + " processed image_" +
            std::to_string(random() % 100000) + ".png in " + std::to_string(random() % 1000) +
            " ms, etag=\"" + std::to_string(random()) + std::to_string(random()) + "\"\n";
  }
  text.resize(size);
  return text;
}

std::vector<std::string> make_secrets(std::size_t count) {
  std::mt19937_64 random(7);
  std::vector<std::string> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back("tok_" + std::to_string(random()) + "/" + std::to_string(random()));
  return values;
}

double measure(const std::string& output, const std::shared_ptr<const secrets::Redactor>& redactor,
               bool log) {
  const std::string path = (std::filesystem::temp_directory_path() / "baton-secrets-bench.log").string();
  std::size_t shown = 0;
  const double begin = cpu_now();
  {
    logs::Writer writer(path);
    secrets::RedactedStream stream(redactor);
    for (std::size_t at = 0; at < output.size(); at += kPiece) {
      const std::string_view bytes = stream.next(std::string_view(output).substr(at, kPiece));
      shown += bytes.size();
      if (log) writer.write(logs::Stream::out, bytes, WallTime{1});
    }
    shown += stream.finish().size();
    writer.flush(WallTime{1});
  }
  const double spent = cpu_now() - begin;
  std::filesystem::remove(path);
  if (shown != output.size()) std::fprintf(stderr, "something was masked\n");
  return spent;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t mib = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 64;
  const std::size_t rounds = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 7;
  const std::string output = make_output(mib << 20);
  const std::size_t counts[] = {0, 20, 200};
  for (const bool log : {false, true}) {
    std::vector<double> spent[3];
    for (std::size_t round = 0; round < rounds; ++round) {
      for (std::size_t i = 0; i < 3; ++i)
        spent[i].push_back(measure(output, secrets::Redactor::of(make_secrets(counts[i])), log));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      std::ranges::sort(spent[i]);
      const double median = spent[i][rounds / 2];
      std::printf("%-18s %3zu secrets: %7.2f ns/byte, %7.0f MiB/s\n",
                  log ? "redactor and log" : "redactor alone", counts[i],
                  median * 1e9 / static_cast<double>(output.size()), static_cast<double>(mib) / median);
    }
  }
}
