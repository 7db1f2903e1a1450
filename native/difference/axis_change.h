// Which rows, or which columns, a change lies in.
#pragma once
#include <cstdint>
#include <vector>

#include "record/stats.h"

namespace steelyard {

// Sums of squares over one row or column: of the good tensor, of the suspect, of their difference.
struct LineSums {
  double good = 0, suspect = 0, difference = 0;
};

class AxisChange {
 public:
  // Of an axis with `count` lines.
  explicit AxisChange(uint64_t count);
  // Each line once, in order.
  void add(uint64_t index, bool changed, const LineSums& sums);
  // count, changed, the sum of the differences and of their squares, the sum of the good ones, the bands, the
  // largest lines.
  void write(Record& record);

 private:
  struct Line {
    uint64_t index;
    LineSums sums;
  };
  static bool is_larger(const Line& a, const Line& b);
  void keep_largest();

  // More than any number of rows that is still called an edit of a few.
  static constexpr size_t kLines = 4096, kBands = 256;

  uint64_t count_, changed_ = 0;
  double sum_ = 0, squares_ = 0, good_ = 0;
  std::vector<double> bands_;
  std::vector<Line> lines_;
};

}  // namespace steelyard
