#include "spec/policies.hpp"

#include <array>
#include <boost/json/object.hpp>
#include <cmath>

#include "base/duration.hpp"
#include "spec/check.hpp"

namespace baton::spec {
namespace {

constexpr Duration kGrace = Duration::seconds(10);  // from soft to hard, when only one is given
constexpr std::array<std::string_view, 3> kBackoffs = {"fixed", "linear", "exponential"};
constexpr std::array<std::string_view, 5> kJitters = {"none", "full", "equal", "decorrelated", "add"};

model::Retry preset(std::string_view name) {
  model::Retry retry;
  retry.max_attempts = 4;  // jobs: 1, 2, 4 s
  if (name == "celery") retry.initial = Duration::seconds(60);
  if (name == "agents") {
    retry.max_attempts = 3;
    retry.max = Duration::seconds(60);
    retry.jitter = model::Jitter::add;
    retry.jitter_add = Duration::seconds(1);
  }
  return retry;
}

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N>& words, std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (words[i] == word) return i;
  }
  return std::nullopt;
}

std::optional<Duration> duration_field(const Tree& tree, NodeId map, std::string_view name) {
  const auto member = tree.find(map, name);
  return member ? read_duration(tree, member->value) : std::nullopt;
}

}  // namespace

void check_retry(const Tree& tree, NodeId node, Findings& findings) {
  if (!tree.is(node, NodeKind::map)) return;
  const auto attempts = tree.find(node, "max_attempts");
  const auto retries = tree.find(node, "max_retries");
  if (attempts && retries) {
    findings.error(retries->key, "`max_attempts` and `max_retries` say the same: one of them is enough");
  }
  const auto backoff = tree.find(node, "backoff");
  const auto multiplier = tree.find(node, "multiplier");
  if (multiplier && backoff && tree.text(backoff->value) != "exponential") {
    findings.error(multiplier->key, "`multiplier` has no effect with `backoff: " +
                                        std::string(tree.text(backoff->value)) + "`");
  }
  const auto initial = duration_field(tree, node, "initial");
  const auto max = duration_field(tree, node, "max");
  if (initial && max && *initial > *max) {
    findings.error(tree.find(node, "max")->value,
                   "`max` must not be less than `initial` (" + to_string(*initial) + ")");
  }
}

void check_timeout(const Tree& tree, NodeId node, Findings& findings) {
  const auto positive = [&](NodeId at) {
    const auto duration = read_duration(tree, at);
    if (duration && duration->us <= 0) findings.error(at, "a timeout must be more than 0");
  };
  if (!tree.is(node, NodeKind::map)) return positive(node);
  const auto soft = tree.find(node, "soft");
  const auto hard = tree.find(node, "hard");
  const auto start = tree.find(node, "start");
  const auto heartbeat = tree.find(node, "heartbeat");
  if (!soft && !hard && !start && !heartbeat) {
    findings.error(node, "`timeout` needs `soft`, `hard`, `start` or `heartbeat`");
  }
  if (soft) positive(soft->value);
  if (hard) positive(hard->value);
  if (start) positive(start->value);
  if (heartbeat) positive(heartbeat->value);
  if (!soft || !hard) return;
  const auto first = read_duration(tree, soft->value);
  const auto last = read_duration(tree, hard->value);
  if (first && last && *first > *last) {
    findings.error(hard->value, "`hard` must not be less than `soft` (" + to_string(*first) + ")");
  }
}

void check_cache(const Tree& tree, NodeId node, Findings& findings) {
  NodeId ttl = node;
  if (tree.is(node, NodeKind::map)) {
    const auto own = tree.find(node, "ttl");
    if (!own) return;
    ttl = own->value;
  }
  const auto span = read_duration(tree, ttl);
  if (span && (span->us <= 0 || *span > model::kMaxCacheTtl)) {
    findings.error(ttl, "the `ttl` of `cache` must be more than 0 and at most 10 years");
  }
}

model::Retry read_retry(const Tree& tree, NodeId node) {
  const auto name = tree.find(node, "preset");
  model::Retry retry = preset(name ? tree.text(name->value) : "jobs");
  if (const auto m = tree.find(node, "max_attempts")) {
    retry.max_attempts = static_cast<std::uint32_t>(tree.integer(m->value).value_or(1));
  }
  if (const auto m = tree.find(node, "max_retries")) {
    retry.max_attempts = static_cast<std::uint32_t>(tree.integer(m->value).value_or(0) + 1);
  }
  if (const auto m = tree.find(node, "backoff")) {
    retry.backoff = static_cast<model::Backoff>(index_of(kBackoffs, tree.text(m->value)).value_or(0));
  }
  if (const auto m = tree.find(node, "multiplier")) {
    retry.multiplier_thousandths = std::llround(tree.number(m->value) * 1000);
  }
  if (const auto d = duration_field(tree, node, "initial")) retry.initial = *d;
  if (const auto d = duration_field(tree, node, "max")) {
    retry.max = *d;
    // A preset's `initial` never exceeds a `max` that was given.
    if (!tree.find(node, "initial") && retry.initial > retry.max) retry.initial = retry.max;
  } else if (retry.max < retry.initial) {
    retry.max = retry.initial;
  }
  if (const auto m = tree.find(node, "jitter")) {
    retry.jitter_add = {};
    if (tree.is(m->value, NodeKind::map)) {
      retry.jitter = model::Jitter::add;
      retry.jitter_add = duration_field(tree, m->value, "add").value_or(Duration{});
    } else {
      retry.jitter = static_cast<model::Jitter>(index_of(kJitters, tree.text(m->value)).value_or(0));
    }
  }
  return retry;
}

model::Timeout read_timeout(const Tree& tree, NodeId node) {
  if (!tree.is(node, NodeKind::map)) {
    const Duration soft = read_duration(tree, node).value_or(Duration{});
    return {soft, soft + kGrace};
  }
  const auto soft = duration_field(tree, node, "soft");
  const auto hard = duration_field(tree, node, "hard");
  model::Timeout timeout;
  timeout.soft = soft.value_or(hard.value_or(Duration{}));
  timeout.hard = hard.value_or(soft ? *soft + kGrace : Duration{});
  timeout.start = duration_field(tree, node, "start").value_or(Duration{});
  timeout.heartbeat = duration_field(tree, node, "heartbeat").value_or(Duration{});
  return timeout;
}

model::Cache read_cache(const Tree& tree, NodeId node) {
  model::Cache cache;
  if (!tree.is(node, NodeKind::map)) {
    cache.ttl = read_duration(tree, node).value_or(cache.ttl);
    return cache;
  }
  if (const auto key = tree.find(node, "key")) cache.key = tree.to_json(key->value);
  cache.ttl = duration_field(tree, node, "ttl").value_or(cache.ttl);
  return cache;
}

boost::json::value to_json(const model::Cache& cache) {
  boost::json::object object;
  if (cache.key) object["key"] = *cache.key;
  object["ttl"] = to_string(cache.ttl);
  return object;
}

boost::json::value to_json(const model::Retry& retry) {
  boost::json::object object;
  object["backoff"] = kBackoffs[static_cast<std::size_t>(retry.backoff)];
  object["initial"] = to_string(retry.initial);
  if (retry.jitter == model::Jitter::add) {
    object["jitter"] = boost::json::object{{"add", to_string(retry.jitter_add)}};
  } else {
    object["jitter"] = kJitters[static_cast<std::size_t>(retry.jitter)];
  }
  object["max"] = to_string(retry.max);
  object["max_attempts"] = retry.max_attempts;
  if (retry.backoff == model::Backoff::exponential) {
    if (retry.multiplier_thousandths % 1000 == 0) {
      object["multiplier"] = retry.multiplier_thousandths / 1000;
    } else {
      object["multiplier"] = static_cast<double>(retry.multiplier_thousandths) / 1000;
    }
  }
  return object;
}

boost::json::value to_json(const model::Timeout& timeout) {
  boost::json::object object;
  const auto put = [&](const char* name, Duration value) {
    if (value.us > 0) object.emplace(name, to_string(value));
  };
  put("hard", timeout.hard);
  put("heartbeat", timeout.heartbeat);
  put("soft", timeout.soft);
  put("start", timeout.start);
  return object;
}

}  // namespace baton::spec
