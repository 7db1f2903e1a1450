// Shannon entropy from integer counts, the same bits on every machine.
#pragma once
#include <cstddef>
#include <cstdint>

#include "counts/codes/kernel/code_kernel.h"

namespace steelyard {

// Entropies in bits of distributions of one total, given as counts that add up to it.
class Entropy {
 public:
  // `total` below 2^52.
  Entropy(const CodeKernel& kernel, uint64_t total) : kernel_(kernel), total_(static_cast<double>(total)) {
    if (total > 0) kernel.small_information(total_, small_);
  }
  // 0 where there are no counts.
  double of(const uint64_t* counts, size_t size) const {
    return total_ > 0 ? kernel_.information(counts, size, total_, small_) / total_ : 0;
  }

 private:
  const CodeKernel& kernel_;
  double total_;
  double small_[kSmallCounts];  // count * log2(total / count), which most counts of a small tensor share
};

// 256 bins of bytes, in four tables so that equal neighbours do not wait for each other's store.
class ByteCounts {
 public:
  // The tables, for at most `size` more bytes.
  uint32_t* bins(size_t size);
  // How often each byte occurred; begins again.
  void take(uint64_t counts[256]);

 private:
  uint32_t bins_[4 * 256] = {};
  uint64_t spilled_[256] = {};
  uint64_t unspilled_ = 0;
};

}  // namespace steelyard
