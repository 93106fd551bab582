#include "net/openssl.hpp"

#include <dlfcn.h>

#include <string>

namespace baton::net {
namespace {

#define BATON_TEXT_OF(x) #x
#define BATON_TEXT(x) BATON_TEXT_OF(x)
constexpr const char* kLibrary = "libssl.so." BATON_TEXT(OPENSSL_VERSION_MAJOR);

Error cannot_load(const char* library) {
  const char* why = ::dlerror();
  return {ErrorCode::unavailable,
          "TLS needs OpenSSL's " + std::string(library) + ", which cannot be loaded: " +
              (why == nullptr ? "no reason given" : why) + "; install it (Debian's package is libssl3)"};
}

}  // namespace

Result<OpenSsl> load_openssl(const char* library) {
  void* handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return fail(cannot_load(library));
  OpenSsl functions;
  // dlsym also looks in what the library itself depends on: in libcrypto.
#define BATON_OPENSSL_LOAD(name)                                                \
  functions.name = reinterpret_cast<decltype(&::name)>(::dlsym(handle, #name)); \
  if (functions.name == nullptr) return fail(cannot_load(library));
  BATON_OPENSSL_FUNCTIONS(BATON_OPENSSL_LOAD)
#undef BATON_OPENSSL_LOAD
  return functions;
}

Result<const OpenSsl*> openssl() {
  static const Result<OpenSsl> loaded = load_openssl(kLibrary);
  if (!loaded) return fail(loaded.error());
  return &*loaded;
}

}  // namespace baton::net
