// What every header here needs: the version, what the library exports, the namespace.
//
// Everything is in `baton`. Beneath it stands the inline namespace of the binary interface, `v0`, which
// counts as the library's SOVERSION does: programs built against another one do not link.
#pragma once

#if __cplusplus < 202002L
#error "Baton's headers need C++20: compile with -std=c++20 or later"
#endif

#define BATON_VERSION_MAJOR 0
#define BATON_VERSION_MINOR 1
#define BATON_VERSION_PATCH 0

#define BATON_API __attribute__((visibility("default")))

#if defined(BATON_BUILDS_SDK)  // beside Baton's own sources, whose names are alike
#define BATON_INLINE
#else
#define BATON_INLINE inline
#endif
