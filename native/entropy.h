// Shannon entropy from integer counts, the same bits on every machine.
#pragma once
#include <cstddef>
#include <cstdint>

namespace steelyard {

// Entropy in bits of a distribution given as counts; 0 where there are none.
double entropy(const uint64_t* counts, size_t size);

// log2(total / count) for 0 < count <= total < 2^53.
double log2_ratio(uint64_t total, uint64_t count);

// 256 bins of bytes, in four tables so that equal neighbours do not wait for each other's store.
class ByteCounts {
 public:
  void update(const uint8_t* data, size_t size);
  // Entropy of all bytes so far, in bits; begins again.
  double finish();

 private:
  uint64_t counts_[4][256] = {};
};

}  // namespace steelyard
