// One attempt's requests, from the first to the end of its redirects, on the calling thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "executors/http/request.hpp"
#include "model/outcome.hpp"
#include "net/http_client.hpp"

namespace baton::executors::http {

// The TLS contexts of requests. Those that trust the system's certificates are made once. Any thread.
class TlsContexts {
 public:
  Result<std::shared_ptr<const net::TlsContext>> of(const Request& request);

 private:
  std::mutex mutex_;
  std::shared_ptr<const net::TlsContext> trusting_the_system_;
  std::shared_ptr<const net::TlsContext> trusting_all_;
};

struct Surroundings {
  TlsContexts& tls;
  std::shared_ptr<const net::AddressPolicy> addresses;
  const net::Cancellation& cancel;
  WallTime now;
  const secrets::Redactor* redactor = nullptr;  // of the attempt
  // A line of the attempt's log; `trouble`: about what went wrong.
  std::function<void(std::string_view line, bool trouble)> log;
};

// `interrupted` if the cancellation ended it: the caller knows why.
model::Outcome carry_out(Request request, const Surroundings& world);

}  // namespace baton::executors::http
