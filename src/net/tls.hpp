// TLS 1.2 and 1.3 (OpenSSL 3) without I/O: bytes of the network in, bytes of the application out, and the
// other way. No public header includes OpenSSL.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace baton::net {

struct TlsClientOptions {
  bool verify = true;   // false: any certificate is taken, from anybody
  std::string ca_file;  // PEM; "" = the system's store
};
struct TlsServerOptions {
  std::string certificate_file;  // PEM: the server's own first, then its issuers
  std::string key_file;          // PEM
};

// Certificates and rules that many sessions share. Making one reads files (the system's store: about 20 ms).
// Immutable, any thread.
class TlsContext {
 public:
  // bad_configuration: a file cannot be read or holds no certificate; certificate and key do not belong
  // together.
  static Result<std::shared_ptr<const TlsContext>> client(const TlsClientOptions& options);
  static Result<std::shared_ptr<const TlsContext>> server(const TlsServerOptions& options);
  ~TlsContext();

 private:
  friend class TlsSession;
  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// One connection. Not thread-safe. After an error it is of no further use, but what take_output() gives
// should still be sent: it tells the other side why.
class TlsSession {
 public:
  // `host`: the name or address that the certificate must be for; sent to the server if it is a name.
  static Result<TlsSession> client(std::shared_ptr<const TlsContext> context, const std::string& host);
  static Result<TlsSession> server(std::shared_ptr<const TlsContext> context);
  ~TlsSession();
  TlsSession(TlsSession&&) noexcept;
  TlsSession& operator=(TlsSession&&) noexcept;

  // Bytes that came from the network.
  void receive(std::string_view bytes);
  // Goes on with the handshake; true when it is done. unavailable: it failed, the message says why.
  Result<bool> handshake();
  // Decrypts into `buffer`; 0: more has to be received first, or ended(). io: the other side does not speak
  // TLS.
  Result<std::size_t> read(char* buffer, std::size_t size);
  // The other side said that it sends nothing more. A connection that ends without that has been cut.
  bool ended() const;
  // Encrypts all of it; after the handshake.
  Status write(std::string_view bytes);
  // Says that we send nothing more.
  void end();
  // What has to be sent to the network; "" if nothing.
  std::string take_output();

 private:
  struct Impl;
  explicit TlsSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::net
