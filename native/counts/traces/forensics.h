// What a payload leaves in a tensor's bytes: stretches of a byte plane that are not as random as the rest or
// more so, pairs of codes made equal, payloads of NaNs, the beginnings of files. Facts only; what is
// suspicious is for src/scan/inspect/values/forensics.ts to say.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "counts/codes/codes.h"
#include "record/dtype.h"
#include "record/stats.h"

namespace steelyard {

// Entropies of one byte of each weight, over windows of 16,384 weights that are not zero.
class PlaneWindows {
 public:
  static constexpr uint64_t kWindow = 16384;

  void begin();
  void add(uint8_t byte, uint64_t index) {
    if (filled_ == 0) starts_.push_back(index);
    counts_[byte]++;
    if (++filled_ == kWindow) close();
  }
  void write(Record& record) const;

 private:
  void close();

  uint64_t counts_[256] = {};
  uint64_t filled_ = 0;
  std::vector<uint64_t> starts_;  // index of the first weight
  std::vector<double> entropies_;
};

// Looks for the beginnings of files in a stream of bytes. The magic and what surely goes with it are checked
// here, so that chance gets through hardly ever; the rest of a header is checked where it is parsed.
class MagicSearch {
 public:
  static constexpr size_t kHead = 4096, kMost = 8;

  void begin();
  void add(const uint8_t* data, size_t size);
  // No more bytes will come.
  void finish();
  // `stream`: by which the other side knows it.
  void write(Record& record, uint64_t stream) const;
  size_t found() const { return found_.size(); }

 private:
  void search(size_t end);

  struct Found {
    uint64_t at;
    std::vector<uint8_t> head;
  };
  std::vector<uint8_t> bytes_;  // not searched yet
  uint64_t position_ = 0;       // of bytes_[0] in the stream
  std::vector<Found> found_;
};

class Forensics {
 public:
  void begin(bool wanted, Dtype dtype);
  bool wanted() const { return wanted_; }
  // Whole elements or blocks.
  void update(const uint8_t* data, size_t size);
  // The histogram of a 16-bit float.
  void take_codes(const CodeFormat& format, const CodeCounts& codes);
  // Every NaN code of a wider one, as far as they were kept.
  void take_nans(const std::vector<uint64_t>& codes, unsigned mantissa_bits);
  void write(Record& record);

 private:
  void update_piece(const uint8_t* data, size_t size);
  void add_nan(uint64_t mantissa, unsigned mantissa_bits);

  bool wanted_ = false;
  Dtype dtype_ = Dtype::U8;
  uint64_t elements_ = 0;
  std::vector<PlaneWindows> planes_;
  std::vector<MagicSearch> searches_;
  std::vector<uint8_t> picked_;
  uint64_t boundary_[2] = {};  // weights whose mantissa is 0, and 1
  double pairs_[4] = {};       // z of the chi-square of equal pairs, for the lowest 1 to 4 bits
  uint64_t odd_nans_ = 0, signalling_nans_ = 0;  // different codes
};

}  // namespace steelyard
