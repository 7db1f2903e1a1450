#include "difference.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>

#include "axis_change.h"
#include "elements.h"
#include "lanes.h"
#include "sketch.h"

namespace steelyard {
namespace {

using V = Vectors<16>;
using Doubles = V::Doubles;
using Longs = V::Longs;

constexpr size_t kPiece = PairReader::kPiece;
constexpr size_t kElements = 65;  // one more than are listed, to know that there are more
// Beyond these nothing is said of rows and columns, or of the spectrum: a hostile shape must not take the
// memory.
constexpr uint64_t kColumnsMax = 65'536, kSketchRowsMax = 524'288;
// From here on squares of squares overflow; counted with what is not finite. Only F64 has such values.
constexpr double kLargest = 0x1p250;

// Both sides of a piece, decoded; elements that are not finite on both are zero on both.
struct Piece {
  double good[kPiece], suspect[kPiece], difference[kPiece];
  uint8_t changed[kPiece];
};

void compare_values(Piece& piece, size_t count) {
  const double *a = piece.good, *b = piece.suspect;
  for (size_t i = 0; i < count; i++) {
    const bool nans = (a[i] != a[i]) & (b[i] != b[i]);
    piece.changed[i] = (a[i] != b[i]) & !nans;
  }
}

// Of two runs of codes: which are another, and how many differ in each bit.
template <class Code>
void compare_codes(const uint8_t* good, const uint8_t* suspect, size_t count, unsigned bits, uint8_t* changed,
                   uint64_t* bit_counts) {
  using Count = std::conditional_t<sizeof(Code) == 1, uint16_t, Code>;  // as wide as can be, for vectors
  static_assert(kPiece < 1 << 16);
  Code codes[kPiece];
  std::memcpy(codes, good, count * sizeof(Code));
  for (size_t i = 0; i < count; i++) {
    Code other;
    std::memcpy(&other, suspect + i * sizeof other, sizeof other);
    codes[i] ^= other;
    changed[i] = codes[i] != 0;
  }
  for (unsigned bit = 0; bit < bits; bit++) {
    Count sum = 0;
    for (size_t i = 0; i < count; i++) sum = static_cast<Count>(sum + (codes[i] >> bit & 1));
    bit_counts[bit] += sum;
  }
}

// Decodes pieces and says which of their elements changed.
class PieceReader {
 public:
  explicit PieceReader(const Pair& pair)
      : dtypes_{pair.sides[0].dtype, pair.sides[1].dtype}, reader_(pair), bits_(code_bits(dtypes_[0])) {}

  bool next() {
    if (!reader_.next()) return false;
    const size_t count = reader_.count();
    decode_elements(dtypes_[0], reader_.bytes(0), count, piece_.good);
    if (reader_.same()) return true;
    decode_elements(dtypes_[1], reader_.bytes(1), count, piece_.suspect);
    compare(count);
    return true;
  }

  // Leaves out what is not finite; returns how many elements that are.
  uint64_t mask() {
    uint64_t kept = 0;
    const size_t count = reader_.count();
    double *a = piece_.good, *b = piece_.suspect, *d = piece_.difference;
    if (reader_.same()) {
      for (size_t i = 0; i < count; i++) {
        const bool finite = std::fabs(a[i]) < kLargest;
        a[i] = finite ? a[i] : 0;
        kept += finite;
      }
      return count - kept;
    }
    for (size_t i = 0; i < count; i++) {
      const bool finite = (std::fabs(a[i]) < kLargest) & (std::fabs(b[i]) < kLargest);
      a[i] = finite ? a[i] : 0;
      b[i] = finite ? b[i] : 0;
      d[i] = b[i] - a[i];
      kept += finite;
    }
    return count - kept;
  }

  const PairReader& reader() const { return reader_; }
  const Piece& piece() const { return piece_; }
  // How many codes differ in each bit; empty where codes cannot be held against each other.
  std::vector<uint64_t> bit_counts() const {
    if (dtypes_[0] != dtypes_[1]) return {};
    return {bit_counts_, bit_counts_ + bits_};
  }
  uint64_t code(unsigned side, size_t index) {
    codes_.resize(kPiece);
    element_codes(dtypes_[side], reader_.bytes(side), reader_.count(), codes_.data());
    return codes_[index];
  }

 private:
  void compare(size_t count) {
    const uint8_t *good = reader_.bytes(0), *suspect = reader_.bytes(1);
    if (dtypes_[0] != dtypes_[1]) return compare_values(piece_, count);
    switch (bits_) {
      case 4:
        return compare_nibbles(count);
      case 8:
        return compare_codes<uint8_t>(good, suspect, count, bits_, piece_.changed, bit_counts_);
      case 16:
        return compare_codes<uint16_t>(good, suspect, count, bits_, piece_.changed, bit_counts_);
      case 32:
        return compare_codes<uint32_t>(good, suspect, count, bits_, piece_.changed, bit_counts_);
      case 64:
        return compare_codes<uint64_t>(good, suspect, count, bits_, piece_.changed, bit_counts_);
      default:
        return compare_blocks(count);
    }
  }

  // A quant of another code counts even in a block whose scale is zero: a good place to hide something.
  void compare_blocks(size_t count) {
    std::vector<uint64_t> codes[2];
    unpack(codes, count);
    compare_values(piece_, count);
    for (size_t i = 0; i < count; i++) piece_.changed[i] |= codes[0][i] != codes[1][i];
  }

  void compare_nibbles(size_t count) {
    std::vector<uint64_t> codes[2];
    unpack(codes, count);
    for (size_t i = 0; i < count; i++) {
      const uint64_t differing = codes[0][i] ^ codes[1][i];
      piece_.changed[i] = differing != 0;
      for (unsigned bit = 0; bit < 4; bit++) bit_counts_[bit] += differing >> bit & 1;
    }
  }

  void unpack(std::vector<uint64_t> (&codes)[2], size_t count) const {
    for (unsigned side = 0; side < 2; side++) {
      codes[side].resize(count);
      element_codes(dtypes_[side], reader_.bytes(side), count, codes[side].data());
    }
  }

  const Dtype dtypes_[2];
  PairReader reader_;
  Piece piece_;
  unsigned bits_;  // 0: codes alone do not tell values
  uint64_t bit_counts_[64] = {};
  std::vector<uint64_t> codes_;
};

// A part of one row that lies in one piece: [begin, end) of the piece, beginning at a column.
struct Segment {
  size_t begin, end;
  uint64_t row, column;
};

// Calls `each` with the segments of a piece. What is no matrix is one row.
template <class F>
void for_segments(const Pair& pair, const PairReader& reader, F each) {
  const uint64_t columns = pair.columns > 0 ? pair.columns : pair.count;
  uint64_t row = reader.first() / columns, column = reader.first() % columns;
  for (size_t begin = 0; begin < reader.count();) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(reader.count() - begin, columns - column));
    each(Segment{begin, begin + size, row, column});
    begin += size;
    column = 0;
    row++;
  }
}

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

PairMeasurement project_difference(const Pair& pair, const double* basis, unsigned rank) {
  PairMeasurement result;
  auto pieces = std::make_unique<PieceReader>(pair);
  std::vector<double> product(rank * pair.columns);
  while (pieces->next()) {
    pieces->mask();
    if (pieces->reader().same()) continue;
    for_segments(pair, pieces->reader(), [&](const Segment& segment) {
      const double* difference = pieces->piece().difference + segment.begin;
      for (unsigned k = 0; k < rank; k++) {
        const double factor = basis[segment.row * rank + k];
        double* sums = product.data() + k * pair.columns + segment.column;
        for (size_t i = 0; i < segment.end - segment.begin; i++) sums[i] += factor * difference[i];
      }
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

}  // namespace steelyard
