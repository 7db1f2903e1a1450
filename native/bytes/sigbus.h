// A mapped file that another process truncates raises SIGBUS in whoever reads it, and the default action
// kills the host. The guard turns such a fault into zero pages and a flag.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace steelyard {

// Watches one mapping while it lives. Faults anywhere else go to whatever handler was there before.
class SigbusGuard {
 public:
  SigbusGuard() = default;
  ~SigbusGuard() { release(); }
  SigbusGuard(const SigbusGuard&) = delete;
  SigbusGuard& operator=(const SigbusGuard&) = delete;

  // Begins to watch [begin, begin + size). false if the handler cannot be installed or all places are taken.
  bool watch(void* begin, size_t size);
  // Address of the first byte that could not be read, or nullptr. What was read from there on are zeros.
  const uint8_t* fault() const;
  void release();

 private:
  int place_ = -1;
};

}  // namespace steelyard
