// A linear sketch: the product of a matrix with 16 columns of random signs. Sketches of two matrices differ
// by the sketch of their difference, so a profile that holds one can say of what rank a change is, without
// the file (Tropp et al. 2017, "Practical sketching algorithms for low-rank matrix approximation").
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace steelyard {

constexpr unsigned kSketchColumns = 16;

// Bit k is set where column k of row `index` of the sign matrix is −1. Counter-based, so that any part of a
// matrix can be sketched on its own: the finalizer of SplitMix64 (Steele, Lea, Flood 2014) of a counter.
inline uint16_t sketch_signs(uint64_t seed, uint64_t index) {
  uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<uint16_t>((z ^ (z >> 31)) >> 48);
}

// A narrower matrix is hardly larger than its sketch; a wider or longer one is none that models have, and who
// claims one shall not get its sketch for memory.
constexpr uint64_t kSketchMinWidth = 64, kSketchMaxWidth = 1 << 20, kSketchMaxHeight = 1 << 19;

// The product of a matrix that comes row by row, in double precision. Each of its values is a sum in column
// order.
class Sketch {
 public:
  // `columns` of the matrix; 0: nothing will come.
  void begin(uint64_t columns, uint64_t seed);
  bool wanted() const { return !signs_.empty(); }
  // Values of the row at hand from `column` on; those that are not finite are left out.
  void add(const double* values, size_t count, uint64_t column);
  void end_row();
  // kSketchColumns values for each row that has ended.
  const std::vector<double>& rows() const { return rows_; }

 private:
  uint64_t seed_ = 0;
  std::vector<uint16_t> signs_;  // of each column of the matrix
  double row_[kSketchColumns] = {};
  std::vector<double> rows_;
};

}  // namespace steelyard
