#include "model/pause.hpp"

#include <array>

#include "base/codec.hpp"

namespace baton::model {

std::string_view scope_of(BlockerKind kind) {
  switch (kind) {
    case BlockerKind::run_paused:
      return "run";
    case BlockerKind::step_paused:
      return "step";
    case BlockerKind::queue_paused:
      return "queue";
    case BlockerKind::worker_paused:
      return "worker";
    case BlockerKind::target_paused:
      return "target";
    case BlockerKind::worker_draining:
      return "drain";
    case BlockerKind::breaker_open:
    case BlockerKind::run_full:
    case BlockerKind::limit_full:
    case BlockerKind::limit_small:
    case BlockerKind::rate_reached:
    case BlockerKind::queue_full:
      break;
  }
  return "";
}

std::string describe(const Pause& pause) {
  const std::string scope(scope_of(pause.what.kind));
  if (pause.what.kind == BlockerKind::run_paused) return scope + ' ' + pause.run.text();
  if (pause.what.kind == BlockerKind::step_paused) {
    return scope + ' ' + pause.name + " of run " + pause.run.text();
  }
  if (pause.what.kind == BlockerKind::worker_draining) return "worker " + pause.name;
  return scope + ' ' + pause.name;
}

RecordKey record_key(const Pause& pause) {
  if (pause.what.kind == BlockerKind::run_paused) return {RecordKind::pause, pause.run.text()};
  // Neither ids nor names have a slash or a colon in them.
  if (pause.what.kind == BlockerKind::step_paused) {
    return {RecordKind::pause, pause.run.text() + '/' + pause.name};
  }
  return {RecordKind::pause, std::string(scope_of(pause.what.kind)) + ':' + pause.name};
}

Record to_record(const Pause& pause) {
  Encoder out;
  out.number(1, static_cast<std::uint64_t>(pause.what.kind));
  out.number(2, pause.what.step);
  if (pause.what.run.value != 0) out.bytes(3, pause.run.text());
  out.bytes(4, pause.name);
  out.bytes(5, pause.by);
  out.bytes(6, pause.why);
  if (pause.until) out.signed_number(7, pause.until->us);
  if (pause.with != RunId{}) out.bytes(8, pause.with.text());
  return {record_key(pause), std::string(scope_of(pause.what.kind)), pause.since, out.take()};
}

Result<Pause> pause_of(const Record& record) {
  Pause pause;
  pause.since = record.at;
  bool damaged = false;
  Decoder in(record.state);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        pause.what.kind = static_cast<BlockerKind>(in.number());
        damaged |= in.number() > static_cast<std::uint64_t>(BlockerKind::worker_draining) ||
                   scope_of(pause.what.kind).empty();
        break;
      case 2:
        pause.what.step = static_cast<Ordinal>(in.number());
        break;
      case 3:
        if (const auto id = RunId::parse(in.bytes())) {
          pause.run = *id;
          pause.what.run = id->key();
        } else {
          damaged = true;
        }
        break;
      case 4:
        pause.name = in.bytes();
        break;
      case 5:
        pause.by = in.bytes();
        break;
      case 6:
        pause.why = in.bytes();
        break;
      case 7:
        pause.until = WallTime{in.signed_number()};
        break;
      case 8:
        if (const auto id = RunId::parse(in.bytes())) pause.with = *id;
        break;
      default:
        break;
    }
  }
  if (damaged || in.failed()) {
    return fail(ErrorCode::corrupt, "the record of the pause " + record.id.key + " is damaged");
  }
  if (pause.what.kind > BlockerKind::step_paused) pause.what.name = pause.name;
  return pause;
}

}  // namespace baton::model
