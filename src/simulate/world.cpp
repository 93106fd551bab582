#include "simulate/world.hpp"

#include <algorithm>

#include "spec/parse.hpp"

namespace baton::simulate {
namespace {

// More at one instant than this, and it turns in circles.
constexpr std::uint64_t kMostAtOnce = 1'000'000;

Result<std::shared_ptr<const model::Workflow>> parse_definition(const std::string& canonical) {
  spec::ParseResult parsed = spec::parse_canonical(canonical);
  if (parsed.workflow == nullptr) {
    return fail(ErrorCode::corrupt,
                "a stored definition cannot be read: " + spec::to_error(parsed.diagnostics).message);
  }
  return parsed.workflow;
}

}  // namespace

World::World(WorldOptions options) : options_(std::move(options)), random_(Seed{options_.seed, 0x5EED}) {
  if (!options_.zones) {
    options_.zones = std::make_shared<const calendar::ZoneTable>(calendar::ZoneTable::utc_only());
  }
  start_owner();
  settle();
  clock_ = kBirth;
}

World::~World() {
  failure_ = Error{};  // answers that come now change nothing
  loop_.reset();
  writer_.reset();
}

// ---- Time

void World::at(Duration when, std::function<void()> what) {
  agenda_.emplace(std::pair(std::max(when, now()), ++entries_), std::move(what));
}

std::optional<Duration> World::next_due() const {
  if (!loop_) return std::nullopt;
  const auto due = loop_->next_due();
  if (!due) return std::nullopt;
  return *due - kBirth;
}

bool World::step(Duration limit) {
  settle();
  if (failure_) return false;
  const auto due = next_due();
  std::optional<Duration> next = due;
  if (!agenda_.empty()) next = std::min(next.value_or(Duration::max()), agenda_.begin()->first.first);
  if (!next || *next > limit) {
    clock_ = std::max(clock_, limit + kBirth);
    return false;
  }
  if (*next > now()) {
    clock_ = *next + kBirth;
    happened_now_ = 0;
  }
  if (++happened_now_ > kMostAtOnce) {
    failure_ = Error{ErrorCode::internal, "time stands still: something happens again and again", ""};
    return false;
  }
  // What the owner has to do at this instant comes first.
  if (due && *due <= now()) {
    woken_ = true;
  } else {
    const auto what = std::move(agenda_.begin()->second);
    agenda_.erase(agenda_.begin());
    what();
  }
  settle();
  return true;
}

void World::settle() {
  std::uint64_t turns = 0;
  while (loop_ && !failure_) {
    while (woken_ && !failure_) {
      woken_ = false;
      while (!failure_ && !gave_up_ && loop_->turn()) {
        if (++turns > kMostAtOnce) {
          failure_ = Error{ErrorCode::internal, "the loop does not come to rest", ""};
        }
      }
      if (gave_up_) return take_owner_away(*std::exchange(gave_up_, std::nullopt));
      if (++turns > kMostAtOnce) failure_ = Error{ErrorCode::internal, "the loop does not come to rest", ""};
    }
    if (options_.restart_every == 0 || commits_ < options_.restart_every) return;
    kill_owner();
    start_owner();
  }
}

// ---- The owner

void World::start_owner() {
  if (loop_) return;
  if (options_.make_store) {
    writer_ = options_.make_store(*this, data_);
  } else {
    writer_ = std::make_unique<store::MemoryWriter>(data_);
  }
  runtime::Surroundings world;
  world.monotonic = [this] { return clock_; };
  world.wall = [this] { return wall(); };
  world.seed = [this] { return Seed{random_.next(), random_.next()}; };
  world.parse_definition = parse_definition;
  world.zones = options_.zones;
  world.wake = [this] { woken_ = true; };
  world.act = [this](const model::Action& action) { act(action); };
  world.fatal = [this](const Error& error) { gave_up_ = error; };
  world.log = [this](std::string_view line) {
    if (options_.on_log) options_.on_log(line);
  };
  loop_ = std::make_unique<runtime::ShardLoop>(*writer_, std::move(world), options_.loop);
  if (const Status started = loop_->start(ShardId{0}); !started) {
    take_owner_away(started.error());
    return;
  }
  if (!loop_->quarantined().empty()) failure_ = loop_->quarantined().front().error;
  ++owners_;
  commits_ = 0;
  woken_ = true;
  loop_->subscribe([this](const std::vector<RunKey>&) { ++commits_; });
  for (const auto& worker : workers_) worker->owner_started();
}

void World::kill_owner() {
  if (!loop_) return;
  for (const auto& worker : workers_) worker->owner_died();
  // Whoever waits for an answer gets none that says anything.
  auto dying = std::move(loop_);
  dying->close();
  dying.reset();
  writer_.reset();
}

void World::take_owner_away(const Error& why) {
  kill_owner();
  if (options_.on_owner_gone) {
    options_.on_owner_gone(why);
  } else {
    failure_ = why;
  }
}

void World::send(model::CommandBody body, model::Sender sender, runtime::Handle::ReplyHandler on_reply) {
  if (!loop_) {
    if (on_reply) on_reply(Error{ErrorCode::unavailable, "there is no owner", ""});
    return;
  }
  loop_->send(std::move(body), std::move(sender), std::move(on_reply));
}

void World::act(const model::Action& action) {
  if (options_.on_action) options_.on_action(action);
  const auto* stop = std::get_if<model::StopAttempt>(&action);
  if (stop == nullptr) return;
  for (const auto& worker : workers_) {
    if (worker->alive() && worker->name() == stop->worker) worker->stop(stop->token, stop->mode);
  }
}

Worker& World::add_worker(WorkerOptions options, Behave behave) {
  workers_.push_back(std::make_unique<Worker>(*this, std::move(options), std::move(behave)));
  workers_.back()->start();
  return *workers_.back();
}

Worker* World::find_worker(std::string_view name) {
  const auto found = std::ranges::find(
      workers_, name, [](const auto& worker) -> const std::string& { return worker->options().name; });
  return found == workers_.end() ? nullptr : found->get();
}

// ---- What happened

const std::vector<World::Event>& World::events() {
  constexpr std::size_t kPage = 64;
  for (;;) {
    const auto page = reader_.journal_after(journal_read_, kPage);
    if (!page || page->empty()) return events_;
    for (const auto& [sequence, entry] : *page) {
      journal_read_ = sequence;
      for (const model::RunFacts& run : entry) {
        for (const model::Fact& fact : run.facts) events_.push_back({now(), run.run, fact});
      }
    }
  }
}

}  // namespace baton::simulate
