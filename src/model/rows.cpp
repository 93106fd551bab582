#include "model/rows.hpp"

#include <array>
#include <cstring>

#include "base/codec.hpp"

namespace baton::model {
namespace {

void put_token(Encoder& out, std::uint32_t field, const Token& token) {
  out.number(field, token.incarnation);
  out.number(field + 1, token.sequence);
}

std::uint64_t bits(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

void put(Encoder& out, const AttemptRecord& a) {
  out.number(1, a.number);
  put_token(out, 2, a.token);
  out.bytes(4, a.worker);
  out.number(5, bits(a.started_at.us));
  out.number(6, bits(a.ended_at.us));
  out.number(7, static_cast<std::uint64_t>(a.end));
  out.bytes(8, a.error_type);
  out.bytes(9, a.error_message);
  if (a.exit_code) out.signed_number(20, *a.exit_code);
  out.number(21, static_cast<std::uint64_t>(a.status.value_or(0)));
  out.number(22, static_cast<std::uint64_t>(a.phase));
  out.number(10, a.generation);
  out.number(11, static_cast<std::uint64_t>(a.became));
}

bool get(std::string_view bytes, AttemptRecord& a) {
  a.generation = 1;  // also of records from before there were others
  Decoder in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        a.number = static_cast<std::uint32_t>(in.number());
        break;
      case 2:
        a.token.incarnation = static_cast<std::uint32_t>(in.number());
        break;
      case 3:
        a.token.sequence = in.number();
        break;
      case 4:
        a.worker = in.bytes();
        break;
      case 5:
        a.started_at.us = static_cast<std::int64_t>(in.number());
        break;
      case 6:
        a.ended_at.us = static_cast<std::int64_t>(in.number());
        break;
      case 7:
        if (in.number() > static_cast<std::uint64_t>(AttemptEnd::cancelled)) return false;
        a.end = static_cast<AttemptEnd>(in.number());
        break;
      case 11:
        if (in.number() > static_cast<std::uint64_t>(TaskStatus::cancelled)) return false;
        a.became = static_cast<TaskStatus>(in.number());
        break;
      case 8:
        a.error_type = in.bytes();
        break;
      case 9:
        a.error_message = in.bytes();
        break;
      case 20:
        a.exit_code = static_cast<int>(in.signed_number());
        break;
      case 21:
        a.status = static_cast<int>(in.number());
        break;
      case 22:
        if (in.number() > static_cast<std::uint64_t>(Phase::fallback)) return false;
        a.phase = static_cast<Phase>(in.number());
        break;
      case 10:
        a.generation = static_cast<std::uint32_t>(in.number());
        break;
      default:
        break;
    }
  }
  return !in.failed();
}

void put(Encoder& out, const LimitUse& use) {
  out.bytes(1, use.name);
  out.number(2, use.amount);
  out.number(3, use.otherwise);
}

bool get(std::string_view bytes, LimitUse& use) {
  use.amount = 0;
  Decoder in(bytes);
  while (in.next()) {
    if (in.field() == 1) use.name = in.bytes();
    if (in.field() == 2) use.amount = static_cast<std::uint32_t>(in.number());
    if (in.field() == 3) use.otherwise = static_cast<std::uint32_t>(in.number());
  }
  return !in.failed();
}

std::string_view bytes_of(const RunId& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

bool get(std::string_view bytes, RunId& id) {
  if (bytes.size() != id.bytes.size()) return false;
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return true;
}

void put(Encoder& out, const Parent& parent) {
  out.bytes(1, bytes_of(parent.task.run));
  out.number(2, parent.task.ordinal);
  out.number(3, parent.attempt);
  out.number(4, parent.depth);
  out.number(5, parent.detached ? 1 : 0);
}

bool get(std::string_view bytes, Parent& parent) {
  Decoder in(bytes);
  while (in.next()) {
    const auto n = static_cast<std::uint32_t>(in.number());
    if (in.field() == 1 && !get(in.bytes(), parent.task.run)) return false;
    if (in.field() == 2) parent.task.ordinal = n;
    if (in.field() == 3) parent.attempt = n;
    if (in.field() == 4) parent.depth = n;
    if (in.field() == 5) parent.detached = n != 0;
  }
  return !in.failed();
}

void put(Encoder& out, const Admission& admission) {
  out.bytes(1, admission.limit);
  out.number(2, admission.admitted ? 1 : 0);
}

bool get(std::string_view bytes, Admission& admission) {
  Decoder in(bytes);
  while (in.next()) {
    if (in.field() == 1) admission.limit = in.bytes();
    if (in.field() == 2) admission.admitted = in.number() != 0;
  }
  return !in.failed() && !admission.limit.empty();
}

void put(Encoder& out, const ItemRange& range) {
  out.number(1, range.first);
  out.number(2, range.count);
}

bool get(std::string_view bytes, ItemRange& range) {
  Decoder in(bytes);
  while (in.next()) {
    if (in.field() == 1) range.first = static_cast<Ordinal>(in.number());
    if (in.field() == 2) range.count = static_cast<std::uint32_t>(in.number());
  }
  return !in.failed();
}

void put(Encoder& out, const Recovery& recovery) {
  out.number(1, static_cast<std::uint64_t>(recovery.scope));
  out.number(2, static_cast<std::uint64_t>(recovery.then));
  out.number(3, recovery.root);
  out.number(4, recovery.failed_only ? 1 : 0);
  // One more than the ordinal: a zero would be left out.
  for (const Ordinal kept : recovery.keep) out.number(5, std::uint64_t{kept} + 1);
  out.bytes(6, recovery.reason);
  out.number(7, bits(recovery.due.us));
}

bool get(std::string_view bytes, Recovery& recovery) {
  Decoder in(bytes);
  while (in.next()) {
    const std::uint64_t n = in.number();
    switch (in.field()) {
      case 1:
        if (n > static_cast<std::uint64_t>(Recovery::Scope::task)) return false;
        recovery.scope = static_cast<Recovery::Scope>(n);
        break;
      case 2:
        if (n > static_cast<std::uint64_t>(Recovery::Then::complete)) return false;
        recovery.then = static_cast<Recovery::Then>(n);
        break;
      case 3:
        recovery.root = static_cast<Ordinal>(n);
        break;
      case 4:
        recovery.failed_only = n != 0;
        break;
      case 5:
        recovery.keep.push_back(static_cast<Ordinal>(n - 1));
        break;
      case 6:
        recovery.reason = in.bytes();
        break;
      case 7:
        recovery.due.us = static_cast<std::int64_t>(n);
        break;
      default:
        break;
    }
  }
  return !in.failed();
}

}  // namespace

std::string_view name(AttemptEnd end) {
  constexpr std::array kNames = {"running",     "completed", "failed",   "lost",
                                 "interrupted", "released",  "cancelled"};
  return kNames[static_cast<std::size_t>(end)];
}

std::string_view name(Phase phase) {
  constexpr std::array kNames = {"primary", "preflight", "poll", "fallback"};
  return kNames[static_cast<std::size_t>(phase)];
}

std::string_view name(StopReason reason) {
  constexpr std::array kNames = {"", "timeout", "cancelled", "heartbeat", "deadline"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::string_view name(Via via) {
  constexpr std::array kNames = {"", "fallback", "operator", "cache"};
  return kNames[static_cast<std::size_t>(via)];
}

std::string_view name(TaskRole role) {
  constexpr std::array kNames = {"main", "cleanup", "compensate", "resource"};
  return kNames[static_cast<std::size_t>(role)];
}

std::string_view name(RunStage stage) {
  constexpr std::array kNames = {"main", "finally", "compensate", "cleanup", "leftovers"};
  return kNames[static_cast<std::size_t>(stage)];
}

std::string encode_state(const TaskRow& row) {
  Encoder out;
  out.number(1, static_cast<std::uint64_t>(row.skip_reason));
  out.number(2, row.priority);
  out.number(3, row.generation);
  out.number(4, row.attempts);
  out.number(5, row.lost);
  out.number(6, row.interrupted);
  put_token(out, 7, row.token);
  out.bytes(9, row.worker);
  out.number(10, bits(row.attempt_started.us));
  out.number(11, static_cast<std::uint64_t>(row.stopping));
  out.number(12, static_cast<std::uint64_t>(row.stop_reason));
  out.number(13, bits(row.due.us));
  out.number(14, bits(row.last_delay.us));
  out.number(15, bits(row.ready_at.us));
  out.number(16, bits(row.started_at.us));
  out.number(17, bits(row.ended_at.us));
  out.bytes(18, row.error_type);
  out.bytes(19, row.error_message);
  out.number(20, row.has_input ? 1 : 0);
  out.number(21, row.has_result ? 1 : 0);
  out.number(22, row.expanded ? 1 : 0);
  out.number(23, row.first_item);
  out.number(24, row.item_count);
  out.number(26, row.starts);
  out.number(27, row.in_process ? 1 : 0);
  out.number(28, static_cast<std::uint64_t>(row.phase));
  out.number(29, row.round);
  out.number(30, row.group_attempts);
  if (row.error_exit_code) out.signed_number(50, *row.error_exit_code);
  out.number(51, static_cast<std::uint64_t>(row.error_status.value_or(0)));
  out.number(52, row.held ? 1 : 0);
  out.number(53, row.ignored ? 1 : 0);
  out.number(54, static_cast<std::uint64_t>(row.via));
  out.number(55, bits(row.queued_at.us));
  out.number(56, bits(row.deadline.us));
  out.number(57, bits(row.late_at.us));
  out.number(58, row.start_timeouts);
  out.number(59, row.when_held ? 1 : 0);
  for (const ItemRange& range : *row.old_items) {
    Encoder one;
    put(one, range);
    out.message(60, one);
  }
  out.number(61, row.kept_failures);
  out.number(31, bits(row.waiting->since.us));
  out.number(32, bits(row.waiting->give_up.us));
  out.number(33, bits(row.waiting->wakes_at.us));
  out.bytes(34, row.waiting->awaits);
  if (row.waiting->child != RunId{}) out.bytes(36, bytes_of(row.waiting->child));
  out.number(35, static_cast<std::uint64_t>(row.branch + 1));
  out.number(40, static_cast<std::uint64_t>(row.role));
  out.number(41, row.parent);
  out.number(42, row.covers);
  out.number(43, row.end_order);
  out.number(44, row.giving_back ? 1 : 0);
  out.number(45, static_cast<std::uint64_t>(row.progress->percent + 1));
  out.bytes(46, row.progress->message);
  for (const LimitUse& use : row.flow->limits) {
    Encoder one;
    put(one, use);
    out.message(70, one);
  }
  out.bytes(71, row.flow->rate);
  out.bytes(72, row.flow->fair_key);
  out.number(73, row.turn);
  out.number(74, row.order);
  out.bytes(75, row.flow->queue);
  out.bytes(76, row.cache->key);
  if (row.cache->from.run != RunId{}) out.bytes(77, row.cache->from.text());
  for (const AttemptRecord& attempt : row.history) {
    Encoder one;
    put(one, attempt);
    out.message(25, one);
  }
  return out.take();
}

Status decode_state(std::string_view bytes, TaskRow& row) {
  const auto damaged = [] { return fail(ErrorCode::corrupt, "the state of a task is damaged"); };
  row.priority = 0;  // zero is left out of the bytes; the struct's default is for new rows
  row.generation = 0;
  Decoder in(bytes);
  while (in.next()) {
    const std::uint64_t n = in.number();
    const auto small = static_cast<std::uint32_t>(n);
    switch (in.field()) {
      case 1:
        if (n > static_cast<std::uint64_t>(SkipReason::trigger_rule)) return damaged();
        row.skip_reason = static_cast<SkipReason>(n);
        break;
      case 2:
        row.priority = static_cast<std::uint8_t>(n);
        break;
      case 3:
        row.generation = small;
        break;
      case 4:
        row.attempts = small;
        break;
      case 5:
        row.lost = small;
        break;
      case 6:
        row.interrupted = small;
        break;
      case 7:
        row.token.incarnation = small;
        break;
      case 8:
        row.token.sequence = n;
        break;
      case 9:
        row.worker = in.bytes();
        break;
      case 10:
        row.attempt_started.us = static_cast<std::int64_t>(n);
        break;
      case 11:
        if (n > static_cast<std::uint64_t>(Stopping::hard)) return damaged();
        row.stopping = static_cast<Stopping>(n);
        break;
      case 12:
        if (n > static_cast<std::uint64_t>(StopReason::deadline)) return damaged();
        row.stop_reason = static_cast<StopReason>(n);
        break;
      case 13:
        row.due.us = static_cast<std::int64_t>(n);
        break;
      case 14:
        row.last_delay.us = static_cast<std::int64_t>(n);
        break;
      case 15:
        row.ready_at.us = static_cast<std::int64_t>(n);
        break;
      case 16:
        row.started_at.us = static_cast<std::int64_t>(n);
        break;
      case 17:
        row.ended_at.us = static_cast<std::int64_t>(n);
        break;
      case 18:
        row.error_type = in.bytes();
        break;
      case 19:
        row.error_message = in.bytes();
        break;
      case 20:
        row.has_input = n != 0;
        break;
      case 21:
        row.has_result = n != 0;
        break;
      case 22:
        row.expanded = n != 0;
        break;
      case 23:
        row.first_item = small;
        break;
      case 24:
        row.item_count = small;
        break;
      case 25:
        if (!get(in.bytes(), row.history.emplace_back())) return damaged();
        break;
      case 26:
        row.starts = small;
        break;
      case 27:
        row.in_process = n != 0;
        break;
      case 28:
        if (n > static_cast<std::uint64_t>(Phase::fallback)) return damaged();
        row.phase = static_cast<Phase>(n);
        break;
      case 29:
        row.round = small;
        break;
      case 30:
        row.group_attempts = small;
        break;
      case 50:
        row.error_exit_code = static_cast<int>(in.signed_number());
        break;
      case 51:
        row.error_status = static_cast<int>(n);
        break;
      case 52:
        row.held = n != 0;
        break;
      case 53:
        row.ignored = n != 0;
        break;
      case 54:
        if (n > static_cast<std::uint64_t>(Via::cache)) return damaged();
        row.via = static_cast<Via>(n);
        break;
      case 55:
        row.queued_at.us = static_cast<std::int64_t>(n);
        break;
      case 56:
        row.deadline.us = static_cast<std::int64_t>(n);
        break;
      case 57:
        row.late_at.us = static_cast<std::int64_t>(n);
        break;
      case 58:
        row.start_timeouts = small;
        break;
      case 59:
        row.when_held = n != 0;
        break;
      case 60:
        if (!get(in.bytes(), row.old_items.edit().emplace_back())) return damaged();
        break;
      case 61:
        row.kept_failures = small;
        break;
      case 31:
        row.waiting.edit().since.us = static_cast<std::int64_t>(n);
        break;
      case 32:
        row.waiting.edit().give_up.us = static_cast<std::int64_t>(n);
        break;
      case 33:
        row.waiting.edit().wakes_at.us = static_cast<std::int64_t>(n);
        break;
      case 34:
        row.waiting.edit().awaits = in.bytes();
        break;
      case 36:
        if (!get(in.bytes(), row.waiting.edit().child)) return damaged();
        break;
      case 35:
        row.branch = static_cast<std::int32_t>(small) - 1;
        break;
      case 40:
        if (n > static_cast<std::uint64_t>(TaskRole::resource)) return damaged();
        row.role = static_cast<TaskRole>(n);
        break;
      case 41:
        row.parent = small;
        break;
      case 42:
        row.covers = small;
        break;
      case 43:
        row.end_order = small;
        break;
      case 44:
        row.giving_back = n != 0;
        break;
      case 45:
        if (n > 101) return damaged();
        row.progress.edit().percent = static_cast<std::int8_t>(static_cast<int>(n) - 1);
        break;
      case 46:
        row.progress.edit().message = in.bytes();
        break;
      case 70:
        if (!get(in.bytes(), row.flow.edit().limits.emplace_back())) return damaged();
        break;
      case 71:
        row.flow.edit().rate = in.bytes();
        break;
      case 72:
        row.flow.edit().fair_key = in.bytes();
        break;
      case 73:
        row.turn = n;
        break;
      case 74:
        row.order = n;
        break;
      case 75:
        row.flow.edit().queue = in.bytes();
        break;
      case 76:
        row.cache.edit().key = in.bytes();
        break;
      case 77: {
        const auto from = TaskId::parse(in.bytes());
        if (!from) return damaged();
        row.cache.edit().from = *from;
        break;
      }
      default:
        break;
    }
  }
  if (in.failed() || row.generation == 0 || row.priority > 9) return damaged();
  return {};
}

std::string encode_state(const RunRow& row) {
  Encoder out;
  out.bytes(1, {reinterpret_cast<const char*>(row.definition.bytes.data()), row.definition.bytes.size()});
  out.number(2, row.priority);
  out.number(3, bits(row.started_at.us));
  out.number(4, row.recovery_attempts);
  out.number(5, bits(row.journal_head));
  out.number(6, row.cancel_requested ? 1 : 0);
  out.number(7, row.terminate ? 1 : 0);
  out.number(8, static_cast<std::uint64_t>(row.stage));
  out.number(9, static_cast<std::uint64_t>(row.outcome));
  out.bytes(10, row.error_type);
  out.bytes(11, row.error_message);
  out.number(12, row.progress);
  out.number(13, row.counts.total);
  out.number(14, row.counts.completed);
  out.number(15, row.counts.failed);
  out.number(16, row.counts.skipped);
  out.number(17, row.counts.cancelled);
  out.number(18, row.counts.running);
  out.number(19, row.next_ordinal);
  out.number(50, row.timed_out ? 1 : 0);
  out.number(49, row.given_up ? 1 : 0);
  out.number(51, bits(row.deadline.us));
  out.number(52, bits(row.late_at.us));
  out.number(53, row.retries);
  out.number(54, bits(row.paused_for.us));
  out.number(60, bits(row.paused_at.us));
  if (row.recovery.scope != Recovery::Scope::none) {
    Encoder one;
    put(one, row.recovery);
    out.message(61, one);
  }
  if (row.replay_of != RunId{}) {
    out.bytes(62, {reinterpret_cast<const char*>(row.replay_of.bytes.data()), row.replay_of.bytes.size()});
  }
  if (row.parent->any()) {
    Encoder parent;
    put(parent, *row.parent);
    out.message(63, parent);
  }
  out.number(64, row.additions);
  if (!row.admission->limit.empty()) {
    Encoder admission;
    put(admission, *row.admission);
    out.message(65, admission);
  }
  out.number(20, row.signals);
  out.number(21, row.no_cleanup ? 1 : 0);
  return out.take();
}

Status decode_state(std::string_view bytes, RunRow& row) {
  const auto damaged = [] { return fail(ErrorCode::corrupt, "the state of a run is damaged"); };
  row.priority = 0;
  bool has_definition = false;
  Decoder in(bytes);
  while (in.next()) {
    const std::uint64_t n = in.number();
    const auto small = static_cast<std::uint32_t>(n);
    switch (in.field()) {
      case 1:
        if (in.bytes().size() != row.definition.bytes.size()) return damaged();
        std::memcpy(row.definition.bytes.data(), in.bytes().data(), in.bytes().size());
        has_definition = true;
        break;
      case 2:
        row.priority = static_cast<std::uint8_t>(n);
        break;
      case 3:
        row.started_at.us = static_cast<std::int64_t>(n);
        break;
      case 4:
        row.recovery_attempts = small;
        break;
      case 5:
        row.journal_head = static_cast<std::int64_t>(n);
        break;
      case 6:
        row.cancel_requested = n != 0;
        break;
      case 7:
        row.terminate = n != 0;
        break;
      case 8:
        if (n > static_cast<std::uint64_t>(RunStage::leftovers)) return damaged();
        row.stage = static_cast<RunStage>(n);
        break;
      case 9:
        if (n > static_cast<std::uint64_t>(RunStatus::cancelled)) return damaged();
        row.outcome = static_cast<RunStatus>(n);
        break;
      case 10:
        row.error_type = in.bytes();
        break;
      case 11:
        row.error_message = in.bytes();
        break;
      case 12:
        row.progress = small;
        break;
      case 21:
        row.no_cleanup = n != 0;
        break;
      case 13:
        row.counts.total = small;
        break;
      case 14:
        row.counts.completed = small;
        break;
      case 15:
        row.counts.failed = small;
        break;
      case 16:
        row.counts.skipped = small;
        break;
      case 17:
        row.counts.cancelled = small;
        break;
      case 18:
        row.counts.running = small;
        break;
      case 19:
        row.next_ordinal = small;
        break;
      case 50:
        row.timed_out = n != 0;
        break;
      case 49:
        row.given_up = n != 0;
        break;
      case 51:
        row.deadline.us = static_cast<std::int64_t>(n);
        break;
      case 52:
        row.late_at.us = static_cast<std::int64_t>(n);
        break;
      case 53:
        row.retries = small;
        break;
      case 54:
        row.paused_for.us = static_cast<std::int64_t>(n);
        break;
      case 60:
        row.paused_at.us = static_cast<std::int64_t>(n);
        break;
      case 61:
        if (!get(in.bytes(), row.recovery)) return damaged();
        break;
      case 62:
        if (!get(in.bytes(), row.replay_of)) return damaged();
        break;
      case 63:
        if (!get(in.bytes(), row.parent.edit())) return damaged();
        break;
      case 64:
        row.additions = small;
        break;
      case 65:
        if (!get(in.bytes(), row.admission.edit())) return damaged();
        break;
      case 20:
        row.signals = small;
        break;
      default:
        break;
    }
  }
  if (in.failed() || !has_definition || row.priority > 9) return damaged();
  return {};
}

}  // namespace baton::model
