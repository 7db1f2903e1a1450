// What is measured of the rows of a 2-D tensor. Norm and digest: an embedding edited in place keeps its
// tensor's norm, not its row's digest. A sketch: of what rank a change is.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "counts/rows/sketch.h"
#include "digest/sha256.h"
#include "record/stats.h"

namespace steelyard {

// What is wanted of a tensor's rows.
struct RowPlan {
  uint64_t columns = 0;  // elements per row
  bool norms = false;    // and digests
  bool sketch = false;
  uint64_t seed = 0;  // of the sketch
};

class Rows {
 public:
  explicit Rows(Sha256Kernel kernel) : digest_(kernel) {}

  // `size`: bytes per row.
  void begin(const RowPlan& plan, uint64_t size) {
    norms_wanted_ = plan.norms;
    columns_ = plan.columns;
    size_ = size;
    column_ = position_ = 0;
    sum_ = 0;
    norms_.clear();
    digests_.clear();
    sketch_.begin(plan.sketch ? plan.columns : 0, plan.seed);
  }
  // Whether any of it needs the values.
  bool wanted() const { return norms_wanted_ || sketch_.wanted(); }

  void update(const uint8_t* data, size_t size) {
    if (norms_wanted_) update_digests(data, size);
  }
  // Values in order; those that are not finite are left out of norm and sketch.
  void add(const double* values, size_t count);
  void write(Record& record) const;

 private:
  void update_digests(const uint8_t* data, size_t size);
  void add_squares(const double* values, size_t count);
  void end_row();

  Sha256 digest_;
  bool norms_wanted_ = false;
  uint64_t columns_ = 0, size_ = 0;
  uint64_t column_ = 0, position_ = 0;
  double sum_ = 0;
  std::vector<double> norms_;
  std::vector<uint8_t> digests_;
  Sketch sketch_;
};

}  // namespace steelyard
