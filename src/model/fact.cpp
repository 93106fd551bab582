#include "model/fact.hpp"

#include <array>

#include "base/codec.hpp"

namespace baton::model {
namespace {

constexpr std::array kNames = {"",
                               "run.submitted",
                               "run.started",
                               "run.cancel_requested",
                               "run.finalizing",
                               "run.ended",
                               "task.queued",
                               "task.skipped",
                               "task.expanded",
                               "attempt.started",
                               "attempt.stopping",
                               "attempt.ended",
                               "task.retrying",
                               "task.ended",
                               "run.timed_out",
                               "run.sla_missed",
                               "task.sla_missed",
                               "task.held",
                               "task.fallback",
                               "task.resolved",
                               "alert.raised",
                               "run.paused",
                               "run.resumed",
                               "run.recovering",
                               "run.recovered",
                               "run.changed",
                               "task.reset",
                               "task.waiting",
                               "signal.received",
                               "task.added",
                               "resource.opened",
                               "resource.released",
                               "resource.cleaned",
                               "resource.leaked",
                               "task.progress",
                               "task.checked",
                               "run.version_changed",
                               "task.cached"};

void put(Encoder& out, const Fact& fact) {
  out.number(1, static_cast<std::uint64_t>(fact.kind));
  out.number(2, static_cast<std::uint64_t>(fact.at.us));
  out.number(3, fact.task);
  out.number(4, fact.step);
  out.number(5, static_cast<std::uint64_t>(fact.index + 1));
  out.number(6, fact.attempt);
  out.number(7, fact.status);
  out.signed_number(8, fact.number);
  out.bytes(9, fact.text);
  out.bytes(10, fact.other);
  out.number(11, fact.role);
}

bool get(std::string_view bytes, Fact& fact) {
  Decoder in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        fact.kind = static_cast<FactKind>(in.number());
        break;
      case 2:
        fact.at.us = static_cast<std::int64_t>(in.number());
        break;
      case 3:
        fact.task = static_cast<Ordinal>(in.number());
        break;
      case 4:
        fact.step = static_cast<std::uint32_t>(in.number());
        break;
      case 5:
        fact.index = static_cast<std::int32_t>(in.number()) - 1;
        break;
      case 6:
        fact.attempt = static_cast<std::uint32_t>(in.number());
        break;
      case 7:
        fact.status = static_cast<std::uint8_t>(in.number());
        break;
      case 8:
        fact.number = in.signed_number();
        break;
      case 9:
        fact.text = in.bytes();
        break;
      case 10:
        fact.other = in.bytes();
        break;
      case 11:
        fact.role = static_cast<std::uint8_t>(in.number());
        break;
      default:
        break;
    }
  }
  return !in.failed();
}

}  // namespace

std::string_view name(FactKind kind) {
  const auto i = static_cast<std::size_t>(kind);
  return i < kNames.size() ? kNames[i] : "unknown";
}

bool is_task_fact(FactKind kind) {
  switch (kind) {
    case FactKind::run_submitted:
    case FactKind::run_started:
    case FactKind::run_cancel_requested:
    case FactKind::run_finalizing:
    case FactKind::run_ended:
    case FactKind::run_timed_out:
    case FactKind::run_sla_missed:
    case FactKind::run_paused:
    case FactKind::run_resumed:
    case FactKind::run_recovering:
    case FactKind::run_recovered:
    case FactKind::run_changed:
    case FactKind::signal_received:
    case FactKind::run_version_changed:
      return false;
    default:
      return true;
  }
}

std::string encode(const std::vector<RunFacts>& entry) {
  Encoder out;
  Encoder part;
  Encoder one;
  for (const RunFacts& run : entry) {
    part.clear();
    part.number(1, static_cast<std::uint64_t>(run.run.value));
    part.number(2, static_cast<std::uint64_t>(run.previous));
    part.bytes(3, run.cause);
    part.bytes(4, run.actor);
    for (const Fact& fact : run.facts) {
      one.clear();
      put(one, fact);
      part.message(5, one);
    }
    out.message(1, part);
  }
  return out.take();
}

Result<std::vector<RunFacts>> decode_journal_entry(std::string_view bytes) {
  std::vector<RunFacts> entry;
  const auto damaged = [] { return fail(ErrorCode::corrupt, "a journal entry is damaged"); };
  Decoder in(bytes);
  while (in.next()) {
    if (in.field() != 1) continue;
    RunFacts run;
    Decoder part(in.bytes());
    while (part.next()) {
      switch (part.field()) {
        case 1:
          run.run.value = static_cast<std::int64_t>(part.number());
          break;
        case 2:
          run.previous = static_cast<JournalSequence>(part.number());
          break;
        case 3:
          run.cause = part.bytes();
          break;
        case 4:
          run.actor = part.bytes();
          break;
        case 5:
          if (!get(part.bytes(), run.facts.emplace_back())) return damaged();
          break;
        default:
          break;
      }
    }
    if (part.failed()) return damaged();
    entry.push_back(std::move(run));
  }
  if (in.failed()) return damaged();
  return entry;
}

}  // namespace baton::model
