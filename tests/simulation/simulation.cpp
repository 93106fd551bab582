#include "simulation.hpp"

#include <memory>
#include <vector>

#include "checker.hpp"
#include "faulty_store.hpp"
#include "faulty_worker.hpp"
#include "network.hpp"
#include "people.hpp"
#include "simulate/world.hpp"

namespace baton::simulation {
namespace {

constexpr Duration kCalmAtMost = Duration::hours(12);
constexpr Duration kCleanUp = Duration::seconds(15);

class Simulation {
 public:
  Simulation(const Options& options, bool trace)
      : options_(options), random_(stream(options.seed, Stream::operators)), disk_(options_, diary_) {
    diary_.trace = trace;
    world_ = std::make_unique<simulate::World>(world_options());
    diary_.now = [this] { return world_->now(); };
    checker_ = std::make_unique<Checker>(world_->reader(), diary_, !options_.has(Switch::wall_clock));
    network_ = std::make_unique<Network>(*world_, options_, diary_, *checker_);
    people_ = std::make_unique<People>(*world_, options_, diary_, *checker_, *network_, [this] {
      if (!calm_) kill_owner("in the middle");
    });
    for (std::uint32_t i = 1; i <= options_.workers; ++i) add_worker(i, false);
    if (options_.has(Switch::worker_in_process)) add_worker(0, true);
  }

  ~Simulation() { world_->kill_owner(); }

  Outcome run() {
    ready_ = true;
    if (!world_->has_owner()) owner_gone();
    for (const auto& worker : workers_) worker->start();
    people_->plan();
    watch();
    if (options_.has(Switch::crashes)) crash_later();
    if (options_.has(Switch::wall_clock)) jump_later();
    go_until(options_.storm, [] { return false; });
    calm();
    bool over = false;
    const auto clean = [&](auto& again) -> void {
      over = people_->clean_up();
      world_->after(kCleanUp, [&] { again(again); });
    };
    clean(clean);
    go_until(options_.storm + kCalmAtMost, [&] { return over; });
    Outcome outcome;
    if (!diary_.violation) outcome.digest = checker_->finish();
    outcome.lasted = world_->now();
    outcome.violation = diary_.violation;
    outcome.coverage = std::move(diary_.coverage);
    return outcome;
  }

 private:
  simulate::WorldOptions world_options() {
    simulate::WorldOptions options;
    options.seed = options_.seed;
    options.make_store = [this](simulate::World& world, std::shared_ptr<store::MemoryData> data) {
      return std::make_unique<FaultyStore>(world, std::move(data), disk_);
    };
    options.on_owner_gone = [this](const Error& why) {
      diary_.note("the owner gives up: {}", why.message);
      diary_.hit("owner: gives up");
      if (ready_) owner_gone();
    };
    options.on_action = [this](const model::Action& action) {
      const auto* stop = std::get_if<model::StopAttempt>(&action);
      if (stop == nullptr) return;
      for (const auto& worker : workers_) {
        if (worker->alive() && worker->name() == stop->worker) worker->stop(stop->token, stop->mode);
      }
    };
    options.on_log = [this](std::string_view line) { diary_.note("owner: {}", line); };
    if (options_.has(Switch::tiny_turns)) {
      options.loop.commands_per_turn = static_cast<std::size_t>(1 + random_.up_to(2));
      options.loop.rows_per_batch = static_cast<std::size_t>(1 + random_.up_to(5));
      options.loop.settings.item_window = static_cast<std::uint32_t>(1 + random_.up_to(2));
      options.loop.settings.runs_in_memory = static_cast<std::size_t>(random_.up_to(3));
    }
    // Restarts of the server are faults of ours, not of the tasks.
    options.loop.settings.max_interruptions = 1000;
    return options;
  }

  void add_worker(std::uint32_t number, bool inside) {
    workers_.push_back(
        std::make_unique<FaultyWorker>(*world_, options_, diary_, *checker_, *network_, number, inside));
  }

  // ---- Who looks after the owner

  void kill_owner(const char* why) {
    if (!world_->has_owner()) return;
    diary_.note("the owner is killed: {}", why);
    diary_.hit(std::string("owner: killed, ") + why);
    world_->kill_owner();
    owner_gone();
  }

  void owner_gone() {
    for (const auto& worker : workers_) {
      if (worker->inside()) worker->kill();
    }
    std::int64_t away = random_.up_to(5'000);
    if (!calm_ && options_.has(Switch::absences) && random_.up_to(2) == 0) away = random_.up_to(120'000);
    world_->after(Duration::millis(away), [this] {
      if (world_->has_owner()) return;
      checker_->owner_starts();
      world_->start_owner();
      if (!world_->has_owner()) return;
      diary_.note("owner {} starts", world_->owners());
      for (const auto& worker : workers_) {
        if (worker->inside()) worker->start();
      }
    });
  }

  void crash_later() {
    world_->after(Duration::micros(random_.up_to(60'000'000)), [this] {
      if (calm_) return;
      kill_owner("at random");
      crash_later();
    });
  }

  // Somebody notices an owner that does not answer.
  void watch() {
    world_->after(Duration::seconds(20), [this] {
      if (disk_.hangs) kill_owner("it hangs");
      watch();
    });
  }

  void jump_later() {
    world_->after(Duration::seconds(random_.up_to(60)), [this] {
      if (calm_) return;
      world_->jump_wall(Duration::seconds(random_.up_to(7200) - 3600));
      diary_.hit("clock: jumps");
      jump_later();
    });
  }

  void calm() {
    diary_.note("---- calm");
    calm_ = true;
    disk_.calm = true;
    network_->calm();
    for (const auto& worker : workers_) {
      worker->calm();
      if (!worker->inside()) worker->start();
    }
  }

  template <typename Over>
  void go_until(Duration limit, Over over) {
    while (!diary_.violation && !over()) {
      const bool more = world_->step(limit);
      read_journal();
      if (world_->failure()) return diary_.wrong("loop", world_->failure()->message);
      if (!more) return;
    }
  }

  void read_journal() {
    const auto& events = world_->events();
    for (; read_ < events.size(); ++read_) checker_->committed(events[read_].run, events[read_].fact);
    checker_->look();
  }

  Options options_;
  Diary diary_;
  engine::Random random_;
  Disk disk_;
  bool ready_ = false;
  bool calm_ = false;
  std::unique_ptr<simulate::World> world_;
  std::unique_ptr<Checker> checker_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<People> people_;
  std::vector<std::unique_ptr<FaultyWorker>> workers_;
  std::size_t read_ = 0;
};

}  // namespace

Outcome simulate(const Options& options, bool trace) {
  return Simulation(options, trace).run();
}

}  // namespace baton::simulation
