#include "net/tls.hpp"

#include <arpa/inet.h>

#include <array>
#include <climits>

#include "net/openssl.hpp"

namespace baton::net {
namespace {

// Whoever has a context has loaded it.
const OpenSsl& ssl() {
  static const OpenSsl& loaded = **openssl();
  return loaded;
}

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { ssl().SSL_CTX_free(context); }
};
struct SessionDeleter {
  void operator()(SSL* session) const { ssl().SSL_free(session); }
};

// The most exact of the errors that OpenSSL has queued on this thread; the queue is empty afterwards.
std::string reason() {
  std::string text;
  while (const unsigned long code = ssl().ERR_get_error()) {
    const char* words = ssl().ERR_reason_error_string(code);
    if (words != nullptr) text = words;
  }
  return text.empty() ? "the connection broke off" : text;
}

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

int chunk(std::size_t size) {
  return size > INT_MAX ? INT_MAX : static_cast<int>(size);
}

}  // namespace

struct TlsContext::Impl {
  std::unique_ptr<SSL_CTX, ContextDeleter> context;
  bool verify = true;
};

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

namespace {

enum class Side { client, server };

Result<std::unique_ptr<SSL_CTX, ContextDeleter>> new_context(Side side) {
  TRY_VOID(openssl());
  ssl().ERR_clear_error();
  std::unique_ptr<SSL_CTX, ContextDeleter> context(
      ssl().SSL_CTX_new(side == Side::client ? ssl().TLS_client_method() : ssl().TLS_server_method()));
  if (!context) return fail(ErrorCode::io, "cannot prepare TLS: " + reason());
  ssl().SSL_CTX_ctrl(context.get(), SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, nullptr);
  ssl().SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  ssl().SSL_CTX_ctrl(context.get(), SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, nullptr);
  return context;
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const TlsClientOptions& options) {
  auto impl = std::make_unique<Impl>();
  TRY(impl->context, new_context(Side::client));
  impl->verify = options.verify;
  SSL_CTX* context = impl->context.get();
  if (options.verify) {
    const bool loaded = options.ca_file.empty()
                            ? ssl().SSL_CTX_set_default_verify_paths(context) == 1
                            : ssl().SSL_CTX_load_verify_file(context, options.ca_file.c_str()) == 1;
    if (!loaded) {
      return fail(ErrorCode::bad_configuration,
                  options.ca_file.empty()
                      ? "the system's certificates cannot be read: " + reason()
                      : "no certificates can be read from " + options.ca_file + ": " + reason());
    }
    ssl().SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(impl)));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const TlsServerOptions& options) {
  auto impl = std::make_unique<Impl>();
  TRY(impl->context, new_context(Side::server));
  SSL_CTX* context = impl->context.get();
  if (ssl().SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
    return fail(ErrorCode::bad_configuration,
                "no certificate can be read from " + options.certificate_file + ": " + reason());
  }
  if (ssl().SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail(ErrorCode::bad_configuration,
                "no key for that certificate can be read from " + options.key_file + ": " + reason());
  }
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(impl)));
}

struct TlsSession::Impl {
  std::shared_ptr<const TlsContext> context;
  std::unique_ptr<SSL, SessionDeleter> session;
  std::string host;

  static Result<std::unique_ptr<Impl>> make(std::shared_ptr<const TlsContext> context, SSL_CTX* of) {
    auto impl = std::make_unique<Impl>();
    ssl().ERR_clear_error();
    impl->context = std::move(context);
    impl->session.reset(ssl().SSL_new(of));
    BIO* in = ssl().BIO_new(ssl().BIO_s_mem());
    BIO* out = ssl().BIO_new(ssl().BIO_s_mem());
    if (!impl->session || in == nullptr || out == nullptr) {
      ssl().BIO_free(in);
      ssl().BIO_free(out);
      return fail(ErrorCode::io, "cannot prepare TLS: " + reason());
    }
    ssl().SSL_set_bio(impl->session.get(), in, out);  // which owns them from here on
    return impl;
  }

  std::string handshake_failure() const {
    const long verified = ssl().SSL_get_verify_result(session.get());
    std::string why = reason();
    if (!host.empty() && context->impl_->verify && verified != X509_V_OK) {
      why =
          "the certificate of " + host + " is not trusted: " + ssl().X509_verify_cert_error_string(verified);
    }
    return why;
  }
};

TlsSession::TlsSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsSession::~TlsSession() = default;
TlsSession::TlsSession(TlsSession&&) noexcept = default;
TlsSession& TlsSession::operator=(TlsSession&&) noexcept = default;

Result<TlsSession> TlsSession::client(std::shared_ptr<const TlsContext> context, const std::string& host) {
  SSL_CTX* of = context->impl_->context.get();
  TRY(auto impl, Impl::make(std::move(context), of));
  impl->host = host;
  SSL* session = impl->session.get();
  ssl().SSL_set_connect_state(session);
  if (is_address(host)) {
    ssl().X509_VERIFY_PARAM_set1_ip_asc(ssl().SSL_get0_param(session), host.c_str());
  } else {
    const bool set = ssl().SSL_set1_host(session, host.c_str()) == 1 &&
                     ssl().SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                    const_cast<char*>(host.c_str())) == 1;
    if (!set) return fail(ErrorCode::invalid_request, "the host name cannot be checked by TLS: " + host);
    ssl().SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  }
  return TlsSession(std::move(impl));
}

Result<TlsSession> TlsSession::server(std::shared_ptr<const TlsContext> context) {
  SSL_CTX* of = context->impl_->context.get();
  TRY(auto impl, Impl::make(std::move(context), of));
  ssl().SSL_set_accept_state(impl->session.get());
  return TlsSession(std::move(impl));
}

void TlsSession::receive(std::string_view bytes) {
  BIO* in = ssl().SSL_get_rbio(impl_->session.get());
  while (!bytes.empty()) {
    const int written = ssl().BIO_write(in, bytes.data(), chunk(bytes.size()));
    if (written <= 0) return;  // out of memory: the session will not go on
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

Result<bool> TlsSession::handshake() {
  if (ssl().SSL_is_init_finished(impl_->session.get()) != 0) return true;
  ssl().ERR_clear_error();
  const int done = ssl().SSL_do_handshake(impl_->session.get());
  if (done == 1) return true;
  if (ssl().SSL_get_error(impl_->session.get(), done) == SSL_ERROR_WANT_READ) return false;
  return fail(ErrorCode::unavailable, impl_->handshake_failure());
}

Result<std::size_t> TlsSession::read(char* buffer, std::size_t size) {
  ssl().ERR_clear_error();
  std::size_t got = 0;
  const int done = ssl().SSL_read_ex(impl_->session.get(), buffer, size, &got);
  if (done == 1) return got;
  const int error = ssl().SSL_get_error(impl_->session.get(), done);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
  return fail(ErrorCode::io, "TLS: " + reason());
}

bool TlsSession::ended() const {
  return (ssl().SSL_get_shutdown(impl_->session.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

Status TlsSession::write(std::string_view bytes) {
  ssl().ERR_clear_error();
  while (!bytes.empty()) {
    std::size_t written = 0;
    if (ssl().SSL_write_ex(impl_->session.get(), bytes.data(), bytes.size(), &written) != 1) {
      return fail(ErrorCode::io, "TLS: " + reason());
    }
    bytes.remove_prefix(written);
  }
  return {};
}

void TlsSession::end() {
  ssl().ERR_clear_error();
  ssl().SSL_shutdown(impl_->session.get());
}

std::string TlsSession::take_output() {
  BIO* out = ssl().SSL_get_wbio(impl_->session.get());
  const std::size_t size = ssl().BIO_ctrl_pending(out);
  std::string bytes(size, '\0');
  if (size == 0) return bytes;
  const int got = ssl().BIO_read(out, bytes.data(), chunk(size));
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

}  // namespace baton::net
