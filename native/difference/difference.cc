#include "difference/difference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "counts/moments/lanes.h"
#include "counts/rows/sketch.h"
#include "difference/axis_change.h"
#include "difference/pieces.h"

namespace steelyard {
namespace {

using V = Vectors<16>;
using Doubles = V::Doubles;

constexpr size_t kElements = 65;  // one more than are listed, to know that there are more
// Beyond these nothing is said of rows and columns, or of the spectrum: a hostile shape must not take the
// memory.
constexpr uint64_t kColumnsMax = 65'536, kSketchRowsMax = 524'288;

// Neumaier's compensated sum: millions of segments must not cost digits.
class CompensatedSum {
 public:
  void add(double x) {
    const double sum = sum_ + x;
    rest_ += std::fabs(sum_) >= std::fabs(x) ? (sum_ - sum) + x : (x - sum) + sum_;
    sum_ = sum;
  }
  double total() const { return sum_ + rest_; }

 private:
  double sum_ = 0, rest_ = 0;
};

// Element i of a segment belongs to lane i % 8; the last ones are filled up with zeros.
double squares(const double* values, size_t count) {
  Doubles lanes[V::kParts] = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t part = 0; part < V::kParts; part++) {
      Doubles x;
      load(x, values + i + part * V::kWidth);
      lanes[part] += x * x;
    }
  }
  double rest[kLanes] = {};
  std::copy(values + i, values + count, rest);
  for (size_t part = 0; part < V::kParts; part++) {
    Doubles x;
    load(x, rest + part * V::kWidth);
    lanes[part] += x * x;
  }
  return sum_of(lanes);
}

// Sums of squares by column.
class ColumnSums {
 public:
  explicit ColumnSums(uint64_t columns) : sums_(3, std::vector<double>(columns)), changed_(columns) {}

  void add(unsigned which, const double* values, size_t count, uint64_t column) {
    double* sums = sums_[which].data() + column;
    for (size_t i = 0; i < count; i++) sums[i] += values[i] * values[i];
  }
  void mark(const uint8_t* changed, size_t count, uint64_t column) {
    for (size_t i = 0; i < count; i++) changed_[column + i] |= changed[i];
  }
  void write(Record& record) const {
    AxisChange axis(changed_.size());
    for (size_t i = 0; i < changed_.size(); i++)
      axis.add(i, changed_[i] != 0, {sums_[0][i], sums_[1][i], sums_[2][i]});
    axis.write(record);
  }

 private:
  std::vector<std::vector<double>> sums_;  // as in LineSums
  std::vector<uint8_t> changed_;
};

class Pass {
 public:
  Pass(const Pair& pair, uint64_t seed) : pair_(pair), pieces_(pair) {
    if (pair.columns == 0) return;
    const uint64_t rows = pair.count / pair.columns;
    rows_ = std::make_unique<AxisChange>(rows);
    if (pair.columns > kColumnsMax) return;
    columns_ = std::make_unique<ColumnSums>(pair.columns);
    if (rows <= kSketchRowsMax) sketch_.begin(pair.columns, seed);
  }

  PairMeasurement run() {
    while (pieces_.next()) {
      if (!pieces_.reader().same()) note_elements();
      not_finite_ += pieces_.mask();
      for_segments(pair_, pieces_.reader(), [this](const Segment& segment) { add(segment); });
    }
    const PairReader& reader = pieces_.reader();
    PairMeasurement result;
    result.outcome = reader.outcome();
    if (result.outcome == Outcome::kDone) {
      write(result.record);
    } else {
      result.side = reader.failed_side();
      result.offset = reader.failed_at();
      result.error = reader.error();
    }
    return result;
  }

 private:
  struct Element {
    uint64_t index;
    double values[2];
    uint64_t codes[2];
  };

  void note_elements() {
    const Piece& piece = pieces_.piece();
    for (size_t i = 0; i < pieces_.reader().count(); i++) {
      if (!piece.changed[i]) continue;
      changed_++;
      if (elements_.size() >= kElements) continue;
      elements_.push_back({pieces_.reader().first() + i,
                           {piece.good[i], piece.suspect[i]},
                           {pieces_.code(0, i), pieces_.code(1, i)}});
    }
  }

  void add(const Segment& segment) {
    const Piece& piece = pieces_.piece();
    const size_t begin = segment.begin, count = segment.end - begin;
    const uint8_t* changed = piece.changed + begin;
    LineSums sums;
    sums.good = sums.suspect = squares(piece.good + begin, count);
    if (columns_) columns_->add(0, piece.good + begin, count, segment.column);
    const bool same = pieces_.reader().same();
    if (columns_) columns_->add(1, (same ? piece.good : piece.suspect) + begin, count, segment.column);
    if (!same && std::memchr(changed, 1, count) != nullptr) {
      row_changed_ = true;
      sums.suspect = squares(piece.suspect + begin, count);
      sums.difference = squares(piece.difference + begin, count);
      for (size_t i = begin; i < segment.end; i++) {
        const double size = std::fabs(piece.difference[i]);
        largest_ = size > largest_ ? size : largest_;
      }
      if (columns_) columns_->add(2, piece.difference + begin, count, segment.column);
      if (columns_) columns_->mark(changed, count, segment.column);
      if (sketch_.wanted()) sketch_.add(piece.difference + begin, count, segment.column);
    }
    end_segment(segment, sums);
  }

  void end_segment(const Segment& segment, const LineSums& sums) {
    good_.add(sums.good);
    suspect_.add(sums.suspect);
    difference_.add(sums.difference);
    if (!rows_) return;
    row_.good += sums.good;
    row_.suspect += sums.suspect;
    row_.difference += sums.difference;
    if (segment.column + (segment.end - segment.begin) < pair_.columns) return;
    rows_->add(segment.row, row_changed_, row_);
    if (sketch_.wanted()) sketch_.end_row();
    row_ = {};
    row_changed_ = false;
  }

  void write(Record& record) {
    record.put(pair_.count);
    record.put(changed_);
    record.put(not_finite_);
    record.put(good_.total());
    record.put(suspect_.total());
    record.put(difference_.total());
    record.put(largest_);
    record.put_all(pieces_.bit_counts());
    record.put(uint64_t{elements_.size()});
    for (const Element& element : elements_) {
      record.put(element.index);
      for (double value : element.values) record.put(value);
      for (uint64_t code : element.codes) record.put_bits(code);
    }
    record.put(uint64_t{rows_ != nullptr});
    if (rows_) rows_->write(record);
    record.put(uint64_t{columns_ != nullptr});
    if (columns_) columns_->write(record);
    const std::vector<double>& sketch = sketch_.rows();
    record.put(uint64_t{sketch.size()});
    for (double value : sketch) record.put(value);
  }

  const Pair& pair_;
  PieceReader pieces_;
  uint64_t changed_ = 0, not_finite_ = 0;
  CompensatedSum good_, suspect_, difference_;
  double largest_ = 0;
  std::vector<Element> elements_;
  LineSums row_;
  bool row_changed_ = false;
  std::unique_ptr<AxisChange> rows_;
  std::unique_ptr<ColumnSums> columns_;
  Sketch sketch_;  // of D
};

}  // namespace

PairMeasurement measure_difference(const Pair& pair, uint64_t seed) {
  return std::make_unique<Pass>(pair, seed)->run();
}

namespace {

// A pass over D that adds each segment of it to a product.
template <class F>
PairMeasurement product_of(const Pair& pair, std::vector<double>& product, F add) {
  PairMeasurement result;
  auto pieces = std::make_unique<PieceReader>(pair);
  while (pieces->next()) {
    pieces->mask();
    if (pieces->reader().same()) continue;
    for_segments(pair, pieces->reader(), [&](const Segment& segment) {
      add(segment, pieces->piece().difference + segment.begin, segment.end - segment.begin);
    });
  }
  const PairReader& reader = pieces->reader();
  result.outcome = reader.outcome();
  result.side = reader.failed_side();
  result.offset = reader.failed_at();
  result.error = reader.error();
  for (double x : product) result.record.put(x);
  return result;
}

// Of 16 columns at a time: sums of products in the order of the columns of D.
constexpr unsigned kColumnsAtOnce = 16;

template <unsigned kCount>
void add_row(double* sums, const double* difference, size_t count, const double* basis, unsigned stride) {
  double part[kCount] = {};
  for (size_t i = 0; i < count; i++) {
    const double factor = difference[i];
    const double* row = basis + i * stride;
    for (unsigned k = 0; k < kCount; k++) part[k] += factor * row[k];
  }
  for (unsigned k = 0; k < kCount; k++) sums[k] += part[k];
}

}  // namespace

PairMeasurement project_difference(const Pair& pair, const double* basis, unsigned rank) {
  std::vector<double> product(rank * pair.columns);
  return product_of(pair, product, [&](const Segment& segment, const double* difference, size_t count) {
    for (unsigned k = 0; k < rank; k++) {
      const double factor = basis[segment.row * rank + k];
      double* sums = product.data() + k * pair.columns + segment.column;
      for (size_t i = 0; i < count; i++) sums[i] += factor * difference[i];
    }
  });
}

PairMeasurement multiply_difference(const Pair& pair, const double* basis, unsigned rank) {
  std::vector<double> product(rank * (pair.count / pair.columns));
  return product_of(pair, product, [&](const Segment& segment, const double* difference, size_t count) {
    double* sums = product.data() + segment.row * rank;
    const double* rows = basis + segment.column * rank;
    unsigned k = 0;
    for (; k + kColumnsAtOnce <= rank; k += kColumnsAtOnce)
      add_row<kColumnsAtOnce>(sums + k, difference, count, rows + k, rank);
    for (; k < rank; k++) add_row<1>(sums + k, difference, count, rows + k, rank);
  });
}

}  // namespace steelyard
