// Shannon entropy from integer counts, the same bits on every machine.
#pragma once
#include <cstddef>
#include <cstdint>

namespace steelyard {

// Entropies in bits of distributions of one total, given as counts that add up to it.
class Entropy {
 public:
  // `total` below 2^52.
  explicit Entropy(uint64_t total);
  // 0 where there are no counts.
  double of(const uint64_t* counts, size_t size) const;

 private:
  static constexpr size_t kSmall = 128;
  double total_;
  double small_[kSmall];  // count * log2(total / count), which most counts of a small tensor share
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
