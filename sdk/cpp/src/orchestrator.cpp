#include <dlfcn.h>
#include <unistd.h>

#include <baton/orchestrator.hpp>
#include <cstdlib>
#include <mutex>

#include "bridge.hpp"
#include "embedded/owner.hpp"
#include "functions.hpp"

namespace baton::v0 {
namespace {

using baton::embedded::Owner;
using baton::executors::functions::FunctionTable;

const char kHere = 0;  // something of this library, to find its file by

// DIR/baton/baton-spawner for the library DIR/libbaton.so.
std::string spawner_beside_library() {
  Dl_info info{};
  if (::dladdr(&kHere, &info) == 0 || info.dli_fname == nullptr) return "";
  char* real = ::realpath(info.dli_fname, nullptr);
  std::string path = real != nullptr ? real : info.dli_fname;
  std::free(real);
  path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
  return path + "baton/baton-spawner";
}

}  // namespace

struct Orchestrator::Impl {
  explicit Impl(OrchestratorOptions given) : options(std::move(given)) {
    if (options.data_dir.empty()) options.data_dir = baton::embedded::default_data_dir();
    if (!options.data_dir.starts_with('/')) {
      if (char* folder = ::realpath(".", nullptr)) {
        options.data_dir = std::string(folder) + '/' + options.data_dir;
        std::free(folder);
      }
    }
    if (options.spawner.empty()) options.spawner = spawner_beside_library();
    const std::string socket = baton::embedded::socket_path_of(options.data_dir);
    target->server.endpoint.unix_socket = true;
    target->server.endpoint.path = socket;
    ServerAddress own(socket);
    own.space = "default";  // whatever the environment says of servers elsewhere
    own_client = Client(std::move(own));
  }

  Status start() {
    const std::lock_guard lock(mutex);
    if (owner) return Error{Code::usage, "the orchestrator has been started already", ""};
    if (::access(options.spawner.c_str(), X_OK) != 0) {
      return Error{Code::io,
                   "the helper that starts processes is not there: " + options.spawner +
                       "; it is installed beside the library, or named by OrchestratorOptions::spawner",
                   ""};
    }
    baton::embedded::OwnerOptions made;
    made.data_dir = options.data_dir;
    made.concurrency = options.threads;
    made.functions = table;
    made.spawner = options.spawner;
    made.log = options.log;
    auto opened = Owner::open(std::move(made));
    if (!opened) return error_of(opened.error());
    owner = std::move(*opened);
    return {};
  }

  std::shared_ptr<Owner> started() {
    const std::lock_guard lock(mutex);
    return owner;
  }

  void stop() {
    std::shared_ptr<Owner> running;
    {
      const std::lock_guard lock(mutex);
      running.swap(owner);
    }
    if (!running) return;
    running->drain();
    running->drained(duration_of(options.grace));
    running->stop();
  }

  OrchestratorOptions options;
  std::shared_ptr<FunctionTable> table = std::make_shared<FunctionTable>();
  std::shared_ptr<CallTarget> target = std::make_shared<CallTarget>();
  Client own_client;
  std::mutex mutex;
  std::shared_ptr<Owner> owner;  // guarded by mutex; while it is started
};

Orchestrator::Orchestrator(OrchestratorOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Orchestrator::~Orchestrator() {
  if (impl_) impl_->stop();
}
Orchestrator::Orchestrator(Orchestrator&&) noexcept = default;
Orchestrator& Orchestrator::operator=(Orchestrator&& other) noexcept {
  if (this != &other) {
    if (impl_) impl_->stop();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

void Orchestrator::add(std::string name, Handler handler) {
  const auto added = impl_->table->add(std::move(name), function_of(std::move(handler), impl_->target));
  if (!added) throw Exception(error_of(added.error()));
  if (const auto running = impl_->started()) running->functions_changed();
}

Status Orchestrator::start() {
  return impl_->start();
}
Client& Orchestrator::client() {
  return impl_->own_client;
}
Status Orchestrator::wait_idle() {
  const auto running = impl_->started();
  if (!running) return Error{Code::usage, "the orchestrator is not started", ""};
  const auto idle = running->wait_idle({});
  if (!idle) return error_of(idle.error());
  return {};
}
std::size_t Orchestrator::open_runs() const {
  const auto running = impl_->started();
  return running ? running->open_runs() : 0;
}
void Orchestrator::stop() {
  impl_->stop();
}
std::string Orchestrator::socket_path() const {
  return impl_->target->server.endpoint.path;
}

}  // namespace baton::v0
