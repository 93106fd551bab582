#include "api/worker_facts.hpp"

#include <algorithm>
#include <boost/json/array.hpp>

#include "api/json_text.hpp"
#include "api/request_body.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;
using telemetry::Metric;

constexpr std::size_t kMostTags = 64;
constexpr std::int64_t kMostAttempts = 1'000'000;
constexpr double kMostPercent = 1'000'000;                  // ten thousand cores
constexpr std::int64_t kMostBytes = std::int64_t{1} << 53;  // what every reader of JSON can say exactly
constexpr Duration kUnheard = Duration::minutes(10);        // until keep_until() says better

Result<std::optional<std::vector<std::string>>> read_tags(const RequestBody& body) {
  const json::value* list = body.find("tags");
  if (list == nullptr) return std::nullopt;
  const auto wrong = [] {
    return fail(
        ErrorCode::invalid_request,
        "\"tags\" must be a list of at most " + std::to_string(kMostTags) + " words: letters, digits, . _ -",
        "/tags");
  };
  if (!list->is_array() || list->get_array().size() > kMostTags) return wrong();
  std::vector<std::string> tags;
  for (const json::value& tag : list->get_array()) {
    if (!tag.is_string() || !is_name(tag.get_string())) return wrong();
    tags.emplace_back(tag.get_string());
  }
  std::ranges::sort(tags);
  tags.erase(std::ranges::unique(tags).begin(), tags.end());
  return tags;
}

Result<std::optional<double>> read_percent(const RequestBody& body) {
  const json::value* value = body.find("cpu_percent");
  if (value == nullptr) return std::nullopt;
  const double percent = value->is_number() ? value->to_number<double>() : -1;
  if (!(percent >= 0 && percent <= kMostPercent)) {
    return fail(ErrorCode::invalid_request, "\"cpu_percent\" must be a number from 0: 100 is one core",
                "/cpu_percent");
  }
  return percent;
}

template <typename T>
void take(std::optional<T>& known, std::optional<T>&& said) {
  if (said) known = std::move(said);
}

void add(std::vector<telemetry::Sample>& samples, Metric metric, const std::string& worker, double value,
         const std::string& space) {
  telemetry::Sample sample{.metric = metric, .labels = {}, .value = value, .buckets = {}, .space = space};
  sample.labels[0] = worker;
  samples.push_back(std::move(sample));
}

}  // namespace

Result<WorkerFacts> read_facts(const RequestBody& body) {
  WorkerFacts facts;
  TRY(facts.tags, read_tags(body));
  TRY(const auto concurrency, body.integer("concurrency", 1, kMostAttempts));
  if (concurrency) facts.concurrency = static_cast<std::uint32_t>(*concurrency);
  TRY(facts.cpu_percent, read_percent(body));
  TRY(const auto memory, body.integer("memory_bytes", 0, kMostBytes));
  if (memory) facts.memory_bytes = static_cast<std::uint64_t>(*memory);
  return facts;
}

void write_facts(const WorkerFacts& facts, JsonText& out) {
  out.key("tags").begin_array();
  for (const std::string& tag : facts.tags.value_or(std::vector<std::string>())) out.string(tag);
  out.end_array();
  const auto integer = [&](std::string_view name, std::optional<std::int64_t> value) {
    out.key(name);
    if (value) {
      out.integer(*value);
    } else {
      out.null();
    }
  };
  integer("concurrency", facts.concurrency);
  out.key("cpu_percent");
  if (facts.cpu_percent) {
    out.number(*facts.cpu_percent);
  } else {
    out.null();
  }
  integer("memory_bytes", facts.memory_bytes);
  out.key("heard_at").instant(facts.heard);
}

KnownWorkers::Entry& KnownWorkers::entry(const std::string& worker) {
  const auto found = workers_.find(worker);
  if (found != workers_.end()) return found->second;
  if (workers_.size() >= kMost) {
    workers_.erase(
        std::ranges::min_element(workers_, {}, [](const auto& known) { return known.second.facts.heard; }));
  }
  return workers_[worker];
}

void KnownWorkers::begin(const std::string& worker, WorkerFacts facts) {
  const std::lock_guard lock(mutex_);
  Entry& known = entry(worker);
  known.end = facts.heard + kUnheard;
  known.facts = std::move(facts);
}

void KnownWorkers::update(const std::string& worker, WorkerFacts facts) {
  const std::lock_guard lock(mutex_);
  Entry& known = entry(worker);
  take(known.facts.tags, std::move(facts.tags));
  take(known.facts.concurrency, std::move(facts.concurrency));
  take(known.facts.cpu_percent, std::move(facts.cpu_percent));
  take(known.facts.memory_bytes, std::move(facts.memory_bytes));
  known.facts.heard = facts.heard;
  known.end = std::max(known.end, facts.heard + kUnheard);
}

void KnownWorkers::keep_until(const std::string& worker, WallTime end) {
  const std::lock_guard lock(mutex_);
  if (const auto found = workers_.find(worker); found != workers_.end()) found->second.end = end;
}

void KnownWorkers::forget(const std::string& worker) {
  const std::lock_guard lock(mutex_);
  workers_.erase(worker);
}

std::map<std::string, WorkerFacts> KnownWorkers::all(WallTime now) const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, WorkerFacts> alive;
  for (const auto& [name, known] : workers_) {
    if (known.end > now) alive.emplace(name, known.facts);
  }
  return alive;
}

std::vector<telemetry::Sample> KnownWorkers::samples(WallTime now, const std::string& space) const {
  std::vector<telemetry::Sample> samples;
  std::size_t series = 0;
  for (const auto& [name, facts] : all(now)) {
    if (++series > telemetry::kMostSeries) break;
    if (facts.concurrency) add(samples, Metric::worker_slots, name, *facts.concurrency, space);
    if (facts.cpu_percent) add(samples, Metric::worker_cpu, name, *facts.cpu_percent / 100, space);
    if (facts.memory_bytes)
      add(samples, Metric::worker_memory, name, static_cast<double>(*facts.memory_bytes), space);
  }
  return samples;
}

}  // namespace baton::api
