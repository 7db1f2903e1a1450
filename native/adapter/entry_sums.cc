#include "adapter/entry_sums.h"

#include <algorithm>
#include <cstring>

namespace steelyard {
namespace {

typedef Vectors<16>::Doubles Doubles;
constexpr size_t kParts = Vectors<16>::kParts, kWidth = Vectors<16>::kWidth;

// Rows that are worked on at a time: a product of columns stays in the L1 cache.
constexpr size_t kBlock = 256;

void multiply(double* out, const double* x, const double* y, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = x[i] * y[i];
}

// Of one with two others, each in the order of dot(): a dot product waits for its loads.
void dots(const double* x, const double* y, const double* z, size_t count, double out[2]) {
  Doubles with_y[kParts] = {}, with_z[kParts] = {};
  for (size_t i = 0; i < count; i += kLanes) {
    for (size_t part = 0; part < kParts; part++) {
      Doubles a, b, c;
      load(a, x + i + part * kWidth);
      load(b, y + i + part * kWidth);
      load(c, z + i + part * kWidth);
      with_y[part] += a * b;
      with_z[part] += a * c;
    }
  }
  out[0] = sum_of(with_y);
  out[1] = sum_of(with_z);
}

double sum(const double* x, size_t count) {
  static const std::vector<double> ones(kBlock, 1.0);
  return dot(x, ones.data(), count);
}

// x_ij^p is a sum over p-tuples of columns, of a product of left columns at i times one of right columns at
// j; summed over i and j it is tuple by tuple a sum over rows times another. So the entries, out x in of
// them, are not needed: only the symmetric tensors of moments of the two factors, which are as small as the
// rank.
class Tensors {
 public:
  explicit Tensors(const Columns& factor) : rank_(factor.count()) {
    for (size_t at = 0; at < factor.padded(); at += kBlock) {
      const size_t count = std::min(kBlock, factor.padded() - at);
      size_t one = 0, three = 0, four = 0;
      for (size_t k = 0; k < rank_; k++) {
        add(first_, one++, sum(factor[k] + at, count));
        for (size_t l = k; l < rank_; l++) {
          multiply(pair_, factor[k] + at, factor[l] + at, count);
          for (size_t m = l; m < rank_; m++) {
            multiply(triple_, pair_, factor[m] + at, count);
            add(third_, three++, sum(triple_, count));
            for (size_t n = m; n < rank_; n += 2) {
              const bool two = n + 1 < rank_;
              double sums[2];
              dots(triple_, factor[n] + at, factor[two ? n + 1 : n] + at, count, sums);
              add(fourth_, four++, sums[0]);
              if (two) add(fourth_, four++, sums[1]);
            }
          }
        }
      }
    }
  }

  // Sums of x, x^3, x^4: every tuple as often as it can be ordered.
  void contract(const Tensors& other, double sums[4]) const {
    size_t three = 0, four = 0;
    for (size_t k = 0; k < rank_; k++) {
      sums[0] += first_[k] * other.first_[k];
      for (size_t l = k; l < rank_; l++) {
        for (size_t m = l; m < rank_; m++, three++) {
          const double orders = k == m ? 1 : k == l || l == m ? 3 : 6;
          sums[2] += orders * third_[three] * other.third_[three];
          for (size_t n = m; n < rank_; n++, four++) {
            sums[3] += ordersOf(k, l, m, n) * fourth_[four] * other.fourth_[four];
          }
        }
      }
    }
  }

 private:
  static double ordersOf(size_t k, size_t l, size_t m, size_t n) {
    const int equal = (k == l) + (l == m) + (m == n);
    if (equal == 0) return 24;
    if (equal == 1) return 12;
    if (equal == 3) return 1;
    return k == l && m == n ? 6 : 4;
  }

  static void add(std::vector<double>& sums, size_t index, double value) {
    if (index == sums.size()) sums.push_back(0);
    sums[index] += value;
  }

  size_t rank_;
  std::vector<double> first_, third_, fourth_;
  double pair_[kBlock], triple_[kBlock];
};

// Row by row, for ranks at which the tensors are larger than the entries are many.
void stream_entries(const Columns& left, const Columns& right, double sums[4]) {
  std::vector<double> row(right.padded()), square(right.padded());
  const std::vector<double> ones(right.padded(), 1.0);
  for (size_t i = 0; i < left.rows(); i++) {
    std::fill(row.begin(), row.end(), 0.0);
    for (size_t k = 0; k < left.count(); k++) {
      const double value = left[k][i];
      for (size_t j = 0; j < right.padded(); j++) row[j] += value * right[k][j];
    }
    multiply(square.data(), row.data(), row.data(), row.size());
    sums[0] += dot(row.data(), ones.data(), row.size());
    sums[1] += dot(row.data(), row.data(), row.size());
    sums[2] += dot(square.data(), row.data(), row.size());
    sums[3] += dot(square.data(), square.data(), row.size());
  }
}

// Of quadruples of columns.
double tuples(double rank) {
  return rank * (rank + 1) * (rank + 2) * (rank + 3) / 24;
}

}  // namespace

double dot(const double* x, const double* y, size_t count) {
  Doubles parts[kParts] = {};
  for (size_t i = 0; i < count; i += kLanes) {
    for (size_t part = 0; part < kParts; part++) {
      Doubles a, b;
      load(a, x + i + part * kWidth);
      load(b, y + i + part * kWidth);
      parts[part] += a * b;
    }
  }
  return sum_of(parts);
}

void sum_entries(const Columns& left, const Columns& right, double sums[4]) {
  std::fill(sums, sums + 4, 0.0);
  const double rows = static_cast<double>(left.rows()), columns = static_cast<double>(right.rows());
  const double rank = static_cast<double>(left.count());
  if (tuples(rank) * (rows + columns) > rows * columns * rank) return stream_entries(left, right, sums);
  const Tensors of_left(left);
  of_left.contract(Tensors(right), sums);
  for (size_t k = 0; k < left.count(); k++) {
    for (size_t l = 0; l < left.count(); l++) {
      sums[1] += dot(left[k], left[l], left.padded()) * dot(right[k], right[l], right.padded());
    }
  }
}

}  // namespace steelyard
