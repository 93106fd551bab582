#include "embedded/owner.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "api/api.hpp"
#include "base/text.hpp"
#include "calendar/zones.hpp"
#include "embedded/connection_room.hpp"
#include "embedded/data_dir.hpp"
#include "embedded/first_key.hpp"
#include "embedded/free_space.hpp"
#include "embedded/retention.hpp"
#include "embedded/space.hpp"
#include "embedded/storage_reading.hpp"
#include "executors/functions/function_executor.hpp"
#include "executors/http/http_executor.hpp"
#include "executors/process/process_executor.hpp"
#include "executors/process/spec.hpp"
#include "executors/process/usage.hpp"
#include "net/http_server.hpp"
#include "net/loop.hpp"
#include "spec/parse.hpp"
#include "store/sqlite/backup.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "telemetry/meter.hpp"
#include "telemetry/process_stats.hpp"

extern char** environ;

namespace baton::embedded {
namespace {

constexpr Duration kReportPatience = Duration::seconds(5);
constexpr Duration kDrainPatience = Duration::seconds(2);

Result<std::shared_ptr<const model::Workflow>> parse_definition(const std::string& canonical) {
  spec::ParseResult parsed = spec::parse_canonical(canonical);
  if (parsed.workflow == nullptr) {
    return fail(ErrorCode::corrupt,
                "a stored definition cannot be read: " +
                    (parsed.diagnostics.empty() ? "" : parsed.diagnostics.front().message));
  }
  return parsed.workflow;
}

WallTime wall_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

// What a browser that came here must not do with an answer: guess its type, show it in a frame, keep it.
net::Headers strict_headers(bool tls) {
  net::Headers headers{{"X-Content-Type-Options", "nosniff"},
                       {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
                       {"Referrer-Policy", "no-referrer"},
                       {"Cross-Origin-Resource-Policy", "same-origin"},
                       {"Cache-Control", "no-store"}};
  if (tls) headers.add("Strict-Transport-Security", "max-age=31536000");
  return headers;
}

// What steps run with whose runs came from elsewhere; text that is not UTF-8 does not travel in JSON.
std::map<std::string, std::string> own_environment() {
  auto all = executors::process::base_environment(environ);
  std::erase_if(all, [](const auto& variable) { return !is_utf8(variable.second); });
  return all;
}

// The log of a function's attempt, where logs of processes are.
class FilePrinter final : public executors::functions::Printer {
 public:
  explicit FilePrinter(std::string path) : log_(std::move(path)) {}
  void print(std::string_view text) override {
    log_.write(logs::Stream::out, text, wall_now());
    if (!text.ends_with('\n')) log_.write(logs::Stream::out, "\n", wall_now());
  }
  void close() override { log_.flush(wall_now()); }

 private:
  logs::Writer log_;
};

class LocalOwner final : public Owner {
 public:
  explicit LocalOwner(OwnerOptions options)
      : options_(std::move(options)),
        socket_path_(socket_path_of(options_.data_dir)),
        retention_(options_.execute, [this](std::string_view line) { log(line); }) {}
  ~LocalOwner() override { stop(); }

  Status start() {
    TRY(auto addresses, executors::http::policy_of(options_.egress));
    TRY(lock_, take_ownership(options_.data_dir, options_.patience));
    const std::string logs = options_.data_dir + "/logs";
    TRY(calendar::ZoneTable zones, calendar::ZoneTable::load());
    TRY(writer_, store::open_sqlite_writer(options_.data_dir + "/baton.db"));
    TRY(reader_, store::open_sqlite_reader(options_.data_dir + "/baton.db"));

    if (options_.execute) {
      const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
      slots_ = options_.concurrency != 0 ? options_.concurrency : std::max(4U, 2 * cores);
    }
    around_.emplace(surroundings(std::make_shared<const calendar::ZoneTable>(std::move(zones)), logs));
    TRY_VOID(open_spaces());

    executors::process::Options process;
    process.scratch = options_.data_dir + "/scratch";
    process.logs = logs;
    process.socket = socket_path_;
    process.now = wall_now;
    process.lock = lock_.get();
    process.program = options_.spawner;
    process.spawner_died = [this] {
      give_up({ErrorCode::io,
               "the helper process that runs tasks was killed. Nothing is lost: the next command goes on",
               ""});
    };
    const executors::Listener listener{.started = [](const Token&) {},
                                       .finished =
                                           [this](const Token& token, model::Outcome outcome) {
                                             if (Space* space = space_of(token))
                                               space->worker().finished(token, std::move(outcome));
                                           }};
    TRY(processes_, executors::process::ProcessExecutor::create(std::move(process), listener));
    executors::http::Options http;
    http.logs = logs;
    http.now = wall_now;
    http.addresses = std::move(addresses);
    requests_ = std::make_unique<executors::http::HttpExecutor>(std::move(http), listener);
    if (options_.functions) {
      executors::functions::Options functions;
      functions.functions = options_.functions;
      functions.threads = slots_;
      functions.printer = [logs](const executors::Attempt& attempt) {
        return std::make_unique<FilePrinter>(logs + "/" + attempt.log_path);
      };
      functions_ = std::make_unique<executors::functions::FunctionExecutor>(std::move(functions), listener);
    }

    api::Services services{
        .loop = loop_,
        .logs_dir = logs,
        .data_dir = options_.data_dir,
        .version = BATON_VERSION,
        .entrance = options_.listen ? options_.listen->entrance : api::EntranceOptions{},
        .environment = own_environment(),
        .port = [this] { return port_.load(); },
        .ready = [this]() -> Status {
          if (draining_) return fail(ErrorCode::unavailable, "Baton is stopping");
          return home().loop().ready();
        },
        .takes_runs = [this] { return check_free_space(options_.data_dir, options_.min_free_space); },
        .backup =
            [database = options_.data_dir + "/baton.db"](const std::string& to,
                                                         const std::function<bool()>& stopped) {
              return store::backup_sqlite(database, to, stopped);
            },
        .wall = wall_now,
        .submit_workflow = options_.submit_workflow,
        .meter = &meter_,
        .metrics = [this] { return read_metrics(); },
        .open_space = [this](const model::SpaceRow& row) { return open_later(row); },
        .clear_space = [this](const model::SpaceRow& row) { clear_space(row); }};
    api_ = std::make_unique<api::Api>(std::move(services), shown(home()));
    for (const model::SpaceRow& row : rows_) {
      if (row.deleted_at) continue;
      if (Space* space = space_at(row.shard)) {
        api_->add(shown(*space));
      } else {
        api_->add_unavailable(row.name, failed_.at(row.shard));
      }
    }
    const auto handle = [this](net::Request request, net::Responder responder) {
      api_->handle(std::move(request), std::move(responder));
    };
    net::ServerOptions serving;
    serving.now = wall_now;
    serving.max_connections = connection_room(most_open_files(), slots_);
    if (options_.listen) {
      net::ServerOptions remote = serving;
      remote.tls = options_.listen->tls;
      remote.headers = strict_headers(remote.tls != nullptr);
      remote.report = [this](std::string_view line) { log(line); };
      remote_ = std::make_unique<net::HttpServer>(loop_, std::move(remote), handle);
    }
    server_ = std::make_unique<net::HttpServer>(loop_, std::move(serving), handle);
    loop_.start();
    running_ = true;
    for (Space* space : spaces()) space->begin();
    // Before the socket: who waits for that finds an owner that serves everything.
    if (remote_) {
      TRY_VOID(ensure_first_key(options_.data_dir, *reader_, home().loop()));
      TRY_VOID(api_->read_keys());
      TRY(port_, remote_->listen_tcp(options_.listen->address, options_.listen->port));
    }
    TRY_VOID(server_->listen_unix(socket_path_, 0600, net::IfExists::replace));
    retention_.start();
    if (options_.alive) loop_.post([this] { show_life(); });
    event("owner.started", "the owner of the data directory serves", open_runs());
    started_ = true;
    for (Space* space : spaces()) start_worker(*space);
    return {};
  }

  const std::string& socket_path() const override { return socket_path_; }
  std::uint16_t port() const override { return port_; }
  void use_tls(std::shared_ptr<const net::TlsContext> tls) override {
    if (remote_) remote_->use_tls(std::move(tls));
  }
  void functions_changed() override {
    if (!options_.execute) return;
    for (Space* space : spaces()) space->worker().functions_changed();
  }
  std::size_t open_runs() const override {
    std::size_t count = 0;
    for (const Space* space : spaces()) count += space->open_runs();
    return count;
  }

  Status wait_idle(const std::function<bool()>& interrupted) override {
    std::unique_lock lock(mutex_);
    while (!fatal_ && open_runs() > 0) {
      changed_.wait_for(lock, std::chrono::milliseconds(100));
      if (interrupted && interrupted()) return fail(ErrorCode::interrupted, "interrupted");
    }
    if (fatal_) return fail(*fatal_);
    return {};
  }

  std::optional<Error> fatal() const override {
    const std::unique_lock lock(mutex_);
    return fatal_;
  }

  void drain() override {
    draining_ = true;
    retention_.stop();
    for (Space* space : spaces()) space->worker().drain();
  }

  bool drained(Duration patience) override {
    const net::MonoTime end = net::Loop::now() + patience;
    bool all = true;
    for (Space* space : spaces())
      all &= space->worker().wait_reported(std::max(end - net::Loop::now(), Duration{}));
    return all;
  }

  void stop() override {
    drain();
    if (functions_) functions_->shutdown();
    if (requests_) requests_->shutdown();
    if (processes_) processes_->shutdown();
    if (running_) {
      if (!fatal()) drained(kReportPatience);
      api_->stop();
      drain_requests();
      loop_.invoke([this] {
        life_.cancel();
        for (Space* space : spaces()) space->close();
      });
      event("owner.stopped", "the owner of the data directory has stopped", open_runs());
    }
    remote_.reset();
    retention_.join();  // a command that it waits for is answered by now
    server_.reset();
    api_.reset();
    for (Space* space : spaces()) space->release_reader();
    reader_.reset();  // the writer has to be the last: only then it copies its log and leaves none behind
    writer_.reset();  // finishes the commits that were begun
    loop_.stop();
    loop_.join();
    running_ = false;
    functions_.reset();  // waits for what goes on
    requests_.reset();
    processes_.reset();  // the spawner goes, and with it its copy of the lock
    lock_.reset();
  }

 private:
  void give_up(const Error& error) {
    {
      const std::unique_lock lock(mutex_);
      if (!fatal_) fatal_ = error;
      changed_.notify_all();
    }
    if (options_.failed) options_.failed();
  }

  // On the loop's thread: as long as this comes, it turns.
  void show_life() {
    options_.alive();
    life_ = loop_.call_after(options_.alive_every, [this] { show_life(); });
  }

  void event(std::string_view name, std::string_view message, std::size_t open_runs) const {
    if (options_.events == nullptr) return;
    options_.events->write(telemetry::LogLevel::info, name, message,
                           {{"data_dir", std::string_view(options_.data_dir)},
                            {"open_runs", static_cast<std::int64_t>(open_runs)}});
  }

  void log(std::string_view line) const {
    if (options_.log) options_.log(line);
    if (options_.events != nullptr)
      options_.events->write(telemetry::LogLevel::warning, "owner.trouble", line);
  }

  SpaceSurroundings surroundings(std::shared_ptr<const calendar::ZoneTable> zones, const std::string& logs) {
    SpaceSurroundings around{
        .loop = loop_, .writer = *writer_, .reader = *reader_, .meter = meter_, .events = options_.events};
    around.world.parse_definition = parse_definition;
    around.world.zones = std::move(zones);
    around.world.log = [this](std::string_view line) { log(line); };
    around.fatal = [this](const Error& error) { give_up(error); };
    around.run_ended = [this] { changed_.notify_all(); };
    around.files_left = [this] { retention_.files_left(); };
    around.secrets_key_file =
        options_.secrets_key_file.empty() ? secrets_key_path(options_.data_dir) : options_.secrets_key_file;
    around.worker.name = options_.worker_name;
    around.worker.concurrency = slots_;
    if (options_.functions) around.worker.functions = [table = options_.functions] { return table->names(); };
    around.worker.later = [this](Duration delay, std::function<void()> task) {
      loop_.post([this, delay, task = std::move(task)]() mutable {
        auto timer = std::make_shared<net::Timer>();
        *timer = loop_.call_after(delay, [timer, task = std::move(task)] { task(); });
      });
    };
    around.retention = {.completed = options_.keep_completed,
                        .failed = options_.keep_failed,
                        .look = options_.execute,
                        .logs = logs,
                        .scratch = options_.data_dir + "/scratch",
                        .wall = wall_now};
    return around;
  }

  // ---- Namespaces. They are never closed before the owner is: what is deleted has to be cleared away.

  Result<Space*> open_space(ShardId shard, const std::string& name) {
    auto space = std::make_unique<Space>(*around_, shard, name);
    TRY_VOID(space->open());
    retention_.add(space->retention());
    const std::lock_guard lock(spaces_mutex_);
    spaces_.push_back(std::move(space));
    return spaces_.back().get();
  }

  // One that cannot be opened is said to be unavailable, and keeps no other from its work.
  Status open_spaces() {
    TRY_VOID(open_space(ShardId{0}, std::string(model::kDefaultNamespace)));
    TRY(const auto records,
        reader_->list_records({.kind = model::RecordKind::space}, std::nullopt, model::kLastShard));
    for (const model::Record& record : records) {
      auto row = model::space_of(record);
      if (!row) {
        log(row.error().message);
        continue;
      }
      if (row->cleared) continue;
      const auto space = open_space(row->shard, row->name);
      if (!space) {
        log("the namespace " + row->name + " cannot be opened: " + space.error().message);
        failed_.emplace(row->shard, space.error());
      } else if (row->deleted_at) {
        clear(**space, *row);
      }
      rows_.push_back(std::move(*row));
    }
    return {};
  }

  std::vector<Space*> spaces() const {
    const std::lock_guard lock(spaces_mutex_);
    std::vector<Space*> all;
    for (const auto& space : spaces_) all.push_back(space.get());
    return all;
  }
  Space& home() const { return *spaces().front(); }
  Space* space_at(ShardId shard) const {
    for (Space* space : spaces()) {
      if (space->reader().shard() == shard) return space;
    }
    return nullptr;
  }
  Space* space_of(const Token& token) const {
    const std::lock_guard lock(spaces_mutex_);
    for (const auto& space : spaces_) {
      if (space->incarnation() == token.incarnation) return space.get();
    }
    return nullptr;
  }

  // Called for a namespace that was made while the owner serves. Any thread but the loop's.
  Status open_later(const model::SpaceRow& row) {
    const std::lock_guard lock(opening_);
    if (draining_) return fail(ErrorCode::unavailable, "Baton is stopping");
    if (space_at(row.shard) != nullptr) return {};
    TRY(Space* const space, open_space(row.shard, row.name));
    space->begin();
    start_worker(*space);
    api_->add(shown(*space));
    return {};
  }

  void clear_space(const model::SpaceRow& row) {
    api_->remove(row.name);
    if (Space* space = space_at(row.shard)) clear(*space, row);
    retention_.look_now();
  }

  void clear(Space& space, const model::SpaceRow& row) {
    space.retire();
    space.retention()->clear([this, row] {
      const model::ReplyBody reply = home().loop().call(
          model::DeleteNamespace{.shard = row.shard, .name = row.name, .cleared = true}, "retention");
      if (const auto* error = std::get_if<Error>(&reply))
        log("namespace " + row.name + ", which was deleted: " + error->message);
    });
  }

  void start_worker(Space& space) {
    if (options_.execute && started_)
      space.worker().start({.processes = *processes_, .requests = *requests_, .functions = functions_.get()});
  }

  api::Space shown(Space& space) {
    return {.name = space.name(),
            .runs = space.loop(),
            .store = space.reader(),
            .metrics =
                [this, &space] {
                  return telemetry::merged({space.metrics(wall_now(), own_worker(space)), process_metrics()});
                },
            .vault = &space.vault(),
            .own_worker = [this, &space] { return own_worker(space); }};
  }

  // What the process uses is said in one namespace: in all of them it would count more than once, and be none
  // of their tenants' business.
  api::WorkerFacts own_worker(const Space& space) {
    api::WorkerFacts facts;
    if (slots_ == 0) return facts;
    facts.concurrency = slots_;
    if (space.name() != model::kDefaultNamespace) return facts;
    const std::lock_guard lock(usage_mutex_);
    const executors::process::Usage usage = usage_.look(executors::process::UsageMeter::Clock::now());
    facts.cpu_percent = usage.cpu_percent;
    facts.memory_bytes = usage.memory_bytes;
    return facts;
  }

  // Not on the loop's thread.
  std::vector<telemetry::Sample> read_metrics() {
    std::vector<std::vector<telemetry::Sample>> lists{process_metrics()};
    for (Space* space : spaces()) {
      if (!space->retired()) lists.push_back(space->metrics(wall_now(), own_worker(*space)));
    }
    return telemetry::merged(std::move(lists));
  }

  std::vector<telemetry::Sample> process_metrics() {
    using telemetry::Metric;
    telemetry::Reading reading;
    reading.set(Metric::takes_runs,
                check_free_space(options_.data_dir, options_.min_free_space).has_value() ? 1 : 0);
    double connections = 0;
    double refused = 0;
    for (const net::HttpServer* server : {remote_.get(), server_.get()}) {
      if (server == nullptr) continue;
      const net::ServerStats http = server->stats();
      connections += static_cast<double>(http.connections);
      refused += static_cast<double>(http.refused);
    }
    reading.set(Metric::http_connections, connections);
    reading.set(Metric::http_refused, refused);
    read_storage(options_.data_dir, reading);
    telemetry::read_process(reading);
    reading.set(Metric::build_info, {BATON_VERSION}, 1);
    std::vector<telemetry::Sample> samples = meter_.samples(reading);
    std::erase_if(samples,
                  [](const telemetry::Sample& sample) { return !telemetry::is_of_process(sample.metric); });
    return samples;
  }

  void drain_requests() {
    std::vector<std::future<void>> ends;
    for (net::HttpServer* server : {remote_.get(), server_.get()}) {
      if (server == nullptr) continue;
      auto end = std::make_shared<std::promise<void>>();
      ends.push_back(end->get_future());
      server->drain(kDrainPatience, [end] { end->set_value(); });
    }
    for (auto& end : ends) end.wait();
  }

  OwnerOptions options_;
  std::string socket_path_;
  Fd lock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Error> fatal_;
  bool running_ = false;
  std::atomic<bool> draining_ = false;
  std::atomic<std::uint16_t> port_ = 0;
  std::uint32_t slots_ = 0;  // of the worker of each namespace, if it has tasks

  std::mutex usage_mutex_;
  executors::process::UsageMeter usage_{
      executors::process::UsageMeter::Clock::now()};  // guarded by usage_mutex_

  telemetry::Meter meter_;
  Housekeeping retention_;
  net::Loop loop_;
  std::unique_ptr<store::Writer> writer_;
  std::unique_ptr<store::Reader> reader_;
  std::optional<SpaceSurroundings> around_;
  std::vector<model::SpaceRow> rows_;  // of the namespaces that there were at the start
  std::map<ShardId, Error> failed_;    // those of them that could not be opened
  mutable std::mutex spaces_mutex_;
  std::vector<std::unique_ptr<Space>> spaces_;  // guarded by spaces_mutex_; `default` is the first
  std::mutex opening_;                          // one at a time is opened
  std::atomic<bool> started_ = false;
  net::Timer life_;
  std::unique_ptr<executors::process::ProcessExecutor> processes_;
  std::unique_ptr<executors::http::HttpExecutor> requests_;
  std::unique_ptr<executors::functions::FunctionExecutor> functions_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<net::HttpServer> server_;  // on the socket
  std::unique_ptr<net::HttpServer> remote_;  // on TCP
};

}  // namespace

Result<std::unique_ptr<Owner>> Owner::open(OwnerOptions options) {
  auto owner = std::make_unique<LocalOwner>(std::move(options));
  TRY_VOID(owner->start());
  return std::unique_ptr<Owner>(std::move(owner));
}

}  // namespace baton::embedded
