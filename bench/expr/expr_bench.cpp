// What an expression costs: parsing and checking happen once per definition, evaluation once per task.
// DurableCommit is the floor beside it: what the disk of the working directory takes for one commit, shared
// by everything in its batch.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <boost/json/parse.hpp>

#include "expr/template.hpp"

namespace baton::expr {
namespace {

constexpr const char* kTexts[] = {
    "inputs.count > 2",
    "steps.fetch.result.rows",
    "steps.fetch.status == 'completed' && has(steps.fetch.result.rows) && steps.fetch.result.rows > 1000",
    "steps.fetch.result.files.filter(f, f.size > 100).map(f, f.path)",
    "inputs.name.startsWith('de') ? inputs.name + '-' + string(inputs.count) : 'none'",
    "inputs.name.matches('^[a-z]+-[0-9]+$')",
    "timestamp(run.started_at).getHours('Europe/Berlin') < 8",
    "{'source': inputs.name, 'rows': steps.fetch.result.rows, 'tags': inputs.tags}",
};

Variables variables() {
  return *Variables::from_json(std::make_shared<const boost::json::value>(boost::json::parse(
      R"({"inputs": {"name": "demo-17", "count": 3, "tags": ["red", "green"]},
          "run": {"started_at": "2026-11-21T01:46:09Z"},
          "steps": {"fetch": {"status": "completed", "result": {"rows": 1250,
            "files": [{"path": "a.csv", "size": 10}, {"path": "b.csv", "size": 300}, {"path": "c.csv", "size": 500}]}}}})")));
}

const calendar::ZoneTable& zones() {
  static const auto table = [] {
    auto loaded = calendar::ZoneTable::load();
    return loaded ? std::move(*loaded) : calendar::ZoneTable::utc_only();
  }();
  return table;
}

// One 4 KiB page overwritten and synced, as a commit into a write-ahead log does at least.
void DurableCommit(benchmark::State& state) {
  char path[] = "expr_bench_XXXXXX";
  const int fd = ::mkstemp(path);
  const std::string page(4096, 'x');
  for (auto _ : state) {
    if (::pwrite(fd, page.data(), page.size(), 0) != 4096 || ::fdatasync(fd) != 0) {
      state.SkipWithError("the working directory takes no writes");
      break;
    }
  }
  ::close(fd);
  ::unlink(path);
}
BENCHMARK(DurableCommit)->Unit(benchmark::kNanosecond)->UseRealTime();

const char* text_of(const benchmark::State& state) {
  return kTexts[state.range(0)];
}

void Parse(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Expression::parse(text_of(state)));
  state.SetLabel(text_of(state));
}
BENCHMARK(Parse)->DenseRange(0, std::size(kTexts) - 1);

void Check(benchmark::State& state) {
  const auto expression = *Expression::parse(text_of(state));
  Scope scope;
  scope.variables["inputs"] = Shape::object({{"name", Shape::of(Kind::string)},
                                             {"count", Shape::of(Kind::integer)},
                                             {"tags", Shape::list(Shape::of(Kind::string))}});
  scope.variables["steps"] = Shape::object({{"fetch", Shape()}});
  scope.variables["run"] = Shape();
  for (auto _ : state) benchmark::DoNotOptimize(check(expression, scope));
  state.SetLabel(text_of(state));
}
BENCHMARK(Check)->DenseRange(0, std::size(kTexts) - 1);

void Evaluate(benchmark::State& state) {
  const auto expression = *Expression::parse(text_of(state));
  const auto vars = variables();
  for (auto _ : state) {
    auto value = evaluate(expression, vars, {}, zones());
    if (!value && state.range(0) != 6) state.SkipWithError(value.error().message.c_str());
    benchmark::DoNotOptimize(value);
  }
  state.SetLabel(text_of(state));
}
BENCHMARK(Evaluate)->DenseRange(0, std::size(kTexts) - 1);

void RenderText(benchmark::State& state) {
  const auto text = *Template::parse("job-${{ inputs.name }}-${{ inputs.count }}: ${{ inputs.tags }}");
  const auto vars = variables();
  for (auto _ : state) benchmark::DoNotOptimize(text.render(vars, {}, zones()));
}
BENCHMARK(RenderText);

// The time that the default limits allow, in the ways to spend it.
void Exhaust(benchmark::State& state, const char* text) {
  const auto expression = *Expression::parse(text);
  Variables vars;
  vars.set("s", Value::string(std::string(200'000, 'a')));
  std::vector<Value> items;
  for (int i = 0; i < 200'000; ++i) items.push_back(Value::integer(i));
  vars.set("l", Value::list(std::move(items)));
  for (auto _ : state) {
    auto value = evaluate(expression, vars, {}, zones());
    if (value) state.SkipWithError("it ended by itself");
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK_CAPTURE(Exhaust, filter, "l.filter(x, x % 3 == 0)")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, map, "l.map(x, [x, x])")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, maps, "l.map(x, {'a': x, 'b': 2, 'c': 3})")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, faults, "l.all(x, 1 / 0 == x || true)")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, membership, "l.all(x, x in l)")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, concat, "l.map(x, s + s)")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, contains, "l.map(x, s.contains('aab'))")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, contains_long, "l.map(x, s.contains(s.substring(0, 1000) + 'b'))")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, size, "l.map(x, size(s))")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, split, "l.map(x, s.split(''))")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, replace, "l.map(x, s.replace('a', 'b'))")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, reverse, "l.map(x, s.reverse())")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, quote, "l.map(x, strings.quote(s))")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, pattern, "l.map(x, s.matches('(a|aa)+b'))")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, patterns, "l.map(x, 'a'.matches('(a|b)*c{1,50}[a-z]' + string(x)))")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, unicode_pattern, "l.map(x, 'a'.matches('\\\\pL{1,3}' + string(x)))")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, bad_patterns, "l.all(x, 'a'.matches('\\\\pL{1,50}' + string(x)) || true)")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, format, "l.map(x, '%.100f %e'.format([1e308, 1.5]))")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, missing, "l.all(x, {'abcdefghij': 1, 'bcdefghijk': 2}.abcdefghi == x || true)")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Exhaust, zones, "l.all(x, timestamp(x).getHours('America/New_York') >= 0)")
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace baton::expr
