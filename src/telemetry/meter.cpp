#include "telemetry/meter.hpp"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <optional>
#include <span>
#include <tuple>

#include "base/text.hpp"

namespace baton::telemetry {
namespace {

using LabelValues = std::array<std::string, kMostLabels>;

LabelValues values_of(Labels labels) {
  assert(labels.size() <= kMostLabels);
  LabelValues values;
  std::size_t i = 0;
  for (const std::string_view label : labels)
    values[i++] = to_utf8(printable(utf8_prefix(label, kLongestLabel)));
  return values;
}

// The series that stands for all that are too many.
LabelValues folded(const MetricInfo& metric, LabelValues values) {
  for (std::size_t i = 0; i < metric.label_count(); ++i) {
    if (is_open(metric.labels[i])) values[i] = "other";
  }
  return values;
}

std::string key_of(std::span<const std::string_view> labels) {
  std::string key;
  for (const std::string_view label : labels) {
    key += utf8_prefix(label, kLongestLabel);
    key += '\0';
  }
  return key;
}

// Whether it is the key of these labels.
bool is_key_of(std::string_view key, std::span<const std::string_view> labels) {
  for (const std::string_view label : labels) {
    const std::string_view part = utf8_prefix(label, kLongestLabel);
    if (key.size() <= part.size() || !key.starts_with(part) || key[part.size()] != '\0') return false;
    key.remove_prefix(part.size() + 1);
  }
  return key.empty();
}

std::string key_of(const MetricInfo& metric, const LabelValues& values) {
  const std::array<std::string_view, kMostLabels> views = {values[0], values[1], values[2]};
  return key_of(std::span(views).first(metric.label_count()));
}

prometheus::MetricType type_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return prometheus::MetricType::Counter;
    case MetricKind::gauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::histogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

}  // namespace

struct Meter::Series {
  LabelValues labels;
  prometheus::Counter counter;                       // of a counter
  std::unique_ptr<prometheus::Histogram> histogram;  // of a histogram
};

struct Meter::Family {
  std::unordered_map<std::string, Series*> by_key;              // also those that are folded
  const std::pair<const std::string, Series*>* last = nullptr;  // of `by_key`: mostly asked for again
  std::vector<std::unique_ptr<Series>> all;

  Series& make(const MetricInfo& metric, LabelValues labels) {
    for (const auto& known : all) {
      if (known->labels == labels) return *known;
    }
    auto series = std::make_unique<Series>();
    series->labels = std::move(labels);
    if (metric.kind == MetricKind::histogram) {
      series->histogram = std::make_unique<prometheus::Histogram>(
          prometheus::Histogram::BucketBoundaries(metric.buckets.begin(), metric.buckets.end()));
    }
    all.push_back(std::move(series));
    return *all.back();
  }
};

Meter::Meter() {
  for (const MetricInfo& metric : catalogue()) {
    families_.push_back(std::make_unique<Family>());
    // One without labels is there from the start: a rate over it has a first value.
    if (metric.kind != MetricKind::gauge && metric.label_count() == 0 &&
        !metric.name.starts_with("process_")) {
      series(metric.id, {});
    }
  }
}

Meter::~Meter() = default;

Meter::Series& Meter::series(Metric metric, Labels labels) {
  const std::lock_guard lock(mutex_);
  Family& family = *families_[static_cast<std::size_t>(metric)];
  const std::span asked(labels.begin(), labels.size());
  if (family.last != nullptr && is_key_of(family.last->first, asked)) return *family.last->second;
  std::string key = key_of(asked);
  if (const auto known = family.by_key.find(key); known != family.by_key.end()) {
    family.last = &*known;
    return *known->second;
  }
  const MetricInfo& is = info(metric);
  LabelValues values = values_of(labels);
  if (family.all.size() >= kMostSeries) {
    // Only the key of what it counts under is kept: those of all others are without bound.
    values = folded(is, std::move(values));
    key = key_of(is, values);
    if (const auto known = family.by_key.find(key); known != family.by_key.end()) return *known->second;
  }
  Series& made = family.make(is, std::move(values));
  family.by_key.emplace(std::move(key), &made);
  return made;
}

void Meter::add(Metric metric, Labels labels, double by) {
  assert(info(metric).kind == MetricKind::counter);
  series(metric, labels).counter.Increment(by);
}

void Meter::observe(Metric metric, Labels labels, double value) {
  assert(info(metric).kind == MetricKind::histogram);
  series(metric, labels).histogram->Observe(value);
}

namespace {

bool comes_before(const Sample& a, const Sample& b) {
  return std::tie(a.metric, a.space, a.labels) < std::tie(b.metric, b.space, b.labels);
}

}  // namespace

std::vector<Sample> Meter::samples(const Reading& reading) const {
  std::vector<Sample> samples = reading.samples_;
  double at_limit = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const MetricInfo& metric : catalogue()) {
      const auto number = static_cast<std::size_t>(metric.id);
      if (std::max(families_[number]->all.size(), reading.series_[number]) >= kMostSeries) ++at_limit;
      if (reading.series_[number] > 0) continue;  // somebody else counts it
      for (const auto& series : families_[number]->all) {
        Sample sample{metric.id, series->labels, 0, 0, {}};
        if (series->histogram) {
          const auto histogram = series->histogram->Collect().histogram;
          sample.value = histogram.sample_sum;
          sample.count = histogram.sample_count;
          for (const auto& bucket : histogram.bucket) sample.buckets.push_back(bucket.cumulative_count);
          sample.buckets.resize(metric.buckets.size());  // without +Inf
        } else {
          sample.value = series->counter.Value();
        }
        samples.push_back(std::move(sample));
      }
    }
  }
  samples.push_back({Metric::metrics_at_limit, {}, at_limit, 0, {}});
  std::ranges::sort(samples, comes_before);
  return samples;
}

std::vector<Sample> merged(std::vector<std::vector<Sample>> lists) {
  std::vector<Sample> all;
  for (std::vector<Sample>& list : lists)
    all.insert(all.end(), std::make_move_iterator(list.begin()), std::make_move_iterator(list.end()));
  std::ranges::sort(all, comes_before);
  return all;
}

void Reading::set(Metric metric, Labels labels, double value) {
  std::size_t& series = series_[static_cast<std::size_t>(metric)];
  if (series == kMostSeries) return;
  ++series;
  samples_.push_back({metric, values_of(labels), value, 0, {}});
}

void Tally::add(Metric metric, Labels labels) {
  assert(info(metric).kind == MetricKind::counter);
  entries_.push_back({&meter_.series(metric, labels), 1});
}

void Tally::observe(Metric metric, Labels labels, double value) {
  assert(info(metric).kind == MetricKind::histogram);
  entries_.push_back({&meter_.series(metric, labels), value});
}

void Tally::count() {
  for (const Entry& entry : entries_) {
    if (entry.series->histogram) {
      entry.series->histogram->Observe(entry.value);
    } else {
      entry.series->counter.Increment(entry.value);
    }
  }
  entries_.clear();
}

std::string to_text(const std::vector<Sample>& samples) {
  std::vector<prometheus::MetricFamily> families;
  std::optional<Metric> last;
  for (const Sample& sample : samples) {
    const MetricInfo& metric = info(sample.metric);
    if (last != sample.metric) {
      families.push_back({std::string(metric.name), std::string(metric.help), type_of(metric.kind), {}});
      last = sample.metric;
    }
    prometheus::ClientMetric out;
    if (!sample.space.empty()) out.label.push_back({"namespace", sample.space});
    for (std::size_t i = 0; i < metric.label_count(); ++i) {
      out.label.push_back({std::string(metric.labels[i]), sample.labels[i]});
    }
    out.counter.value = out.gauge.value = sample.value;
    if (metric.kind == MetricKind::histogram) {
      out.histogram.sample_sum = sample.value;
      out.histogram.sample_count = sample.count;
      for (std::size_t i = 0; i < sample.buckets.size(); ++i) {
        out.histogram.bucket.push_back({sample.buckets[i], metric.buckets[i]});
      }
    }
    families.back().metric.push_back(std::move(out));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace baton::telemetry
