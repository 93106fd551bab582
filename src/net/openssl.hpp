// The functions of OpenSSL that TLS needs, of a library that is loaded when the first of them is. Most
// processes of Baton (a server behind a proxy, the spawner, a command that talks to a socket) never speak
// TLS; linked, libssl and libcrypto would cost each of them up to 3 MiB and their relocation at the start.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/error.hpp"

// What OpenSSL's headers define as a macro is called by the function behind it.
#define BATON_OPENSSL_FUNCTIONS(X)      \
  X(BIO_ctrl_pending)                   \
  X(BIO_free)                           \
  X(BIO_new)                            \
  X(BIO_read)                           \
  X(BIO_s_mem)                          \
  X(BIO_write)                          \
  X(ERR_clear_error)                    \
  X(ERR_get_error)                      \
  X(ERR_reason_error_string)            \
  X(SSL_CTX_ctrl)                       \
  X(SSL_CTX_free)                       \
  X(SSL_CTX_load_verify_file)           \
  X(SSL_CTX_new)                        \
  X(SSL_CTX_set_default_verify_paths)   \
  X(SSL_CTX_set_options)                \
  X(SSL_CTX_set_verify)                 \
  X(SSL_CTX_use_PrivateKey_file)        \
  X(SSL_CTX_use_certificate_chain_file) \
  X(SSL_ctrl)                           \
  X(SSL_do_handshake)                   \
  X(SSL_free)                           \
  X(SSL_get0_param)                     \
  X(SSL_get_error)                      \
  X(SSL_get_rbio)                       \
  X(SSL_get_shutdown)                   \
  X(SSL_get_verify_result)              \
  X(SSL_get_wbio)                       \
  X(SSL_is_init_finished)               \
  X(SSL_new)                            \
  X(SSL_read_ex)                        \
  X(SSL_set1_host)                      \
  X(SSL_set_accept_state)               \
  X(SSL_set_bio)                        \
  X(SSL_set_connect_state)              \
  X(SSL_set_hostflags)                  \
  X(SSL_shutdown)                       \
  X(SSL_write_ex)                       \
  X(TLS_client_method)                  \
  X(TLS_server_method)                  \
  X(X509_VERIFY_PARAM_set1_ip_asc)      \
  X(X509_verify_cert_error_string)

namespace baton::net {

// Each member is the function of its name.
struct OpenSsl {
#define BATON_OPENSSL_MEMBER(name) decltype(&::name) name = nullptr;
  BATON_OPENSSL_FUNCTIONS(BATON_OPENSSL_MEMBER)
#undef BATON_OPENSSL_MEMBER
};

// Loads a library of that name for good. unavailable: there is none, or it is not OpenSSL 3.
Result<OpenSsl> load_openssl(const char* library);

// The system's, loaded by the first call; any thread. The pointer is good for ever.
Result<const OpenSsl*> openssl();

}  // namespace baton::net
