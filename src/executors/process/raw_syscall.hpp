// System calls that touch nothing of the calling process: no errno, no cancellation, no sanitizer. For a
// child that shares its parent's memory until it executes a program.
#pragma once

namespace baton::executors::process {

#define BATON_UNINSTRUMENTED __attribute__((no_sanitize("address", "undefined", "thread")))

// The result, or a negated errno.
__attribute__((always_inline)) BATON_UNINSTRUMENTED inline long raw_syscall(long number, long a = 0,
                                                                            long b = 0, long c = 0,
                                                                            long d = 0) {
#if defined(__x86_64__)
  long result;
  register long fourth asm("r10") = d;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long call asm("x8") = number;
  register long first asm("x0") = a;
  register long second asm("x1") = b;
  register long third asm("x2") = c;
  register long fourth asm("x3") = d;
  asm volatile("svc 0" : "+r"(first) : "r"(call), "r"(second), "r"(third), "r"(fourth) : "memory");
  return first;
#else
#error "raw_syscall: add the system call instruction of this architecture"
#endif
}

}  // namespace baton::executors::process
