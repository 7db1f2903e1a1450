// Crash points for tests of process isolation, in builds that ask for them (STEELYARD_CRASH_POINTS): with
// STEELYARD_CRASH=abort:1234 in the environment, measuring a file of 1234 bytes aborts.
#pragma once
#ifdef STEELYARD_CRASH_POINTS
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace steelyard {

inline void crash_if_asked(uint64_t size) {
  const char* wish = std::getenv("STEELYARD_CRASH");
  const char* at = wish != nullptr ? std::strchr(wish, ':') : nullptr;
  if (at == nullptr || std::strtoull(at + 1, nullptr, 10) != size) return;
  auto wants = [&](const char* how) { return std::strncmp(wish, how, static_cast<size_t>(at - wish)) == 0; };
  if (wants("abort")) std::abort();
  if (wants("segv")) raise(SIGSEGV);
  if (wants("bus")) raise(SIGBUS);
  if (wants("kill")) raise(SIGKILL);  // what the kernel does to a process that took too much memory
  while (wants("hang")) pause();      // and never looks at the abort flag
}

}  // namespace steelyard
#endif
