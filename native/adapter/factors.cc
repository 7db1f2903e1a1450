#include "adapter/factors.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "adapter/entry_sums.h"
#include "counts/blocks/decode.h"

namespace steelyard {
namespace {

template <class T>
double wide(const uint8_t* data, size_t index) {
  T value;
  std::memcpy(&value, data + sizeof value * index, sizeof value);
  return value;
}

// A block of Q8_0 is a scale and 32 bytes (block_q8_0 in ggml-common.h).
constexpr size_t kQ8Count = 32, kQ8Size = 34;

double element(const Factor& factor, size_t index) {
  const uint8_t* data = factor.data;
  switch (factor.dtype) {
    case Dtype::F64:
      return wide<double>(data, index);
    case Dtype::F32:
      return wide<float>(data, index);
    case Dtype::F16:
      return f16(data + 2 * index);
    case Dtype::Q8_0: {
      const uint8_t* block = data + index / kQ8Count * kQ8Size;
      return f16(block) * static_cast<int8_t>(block[2 + index % kQ8Count]);
    }
    default:
      return std::bit_cast<float>(static_cast<uint32_t>(load16(data + 2 * index)) << 16);
  }
}

// Appends the factor's columns. False: a value is not finite.
bool decode_columns(const Factor& factor, Columns& columns) {
  bool finite = true;
  const size_t first = columns.count();
  columns.append(factor.rank);
  for (size_t k = 0; k < factor.rank; k++) {
    double* column = columns[first + k];
    for (size_t i = 0; i < factor.rows; i++) {
      column[i] = element(factor, factor.transposed ? k * factor.rows + i : i * factor.rank + k);
      finite = finite && std::isfinite(column[i]);
    }
  }
  return finite;
}

// Gram-Schmidt by columns, each projected until it no longer shrinks: "twice is enough" (Giraud, Langou and
// Rozloznik 2005) unless it depends on the earlier ones, and then what is left of it is rounding and is
// dropped. The Gram matrix would be cheaper and loses half of the digits, which the small singular values are
// in. Columns before `first` are orthonormal already; the triangle is that of the others, count x (count -
// first).
std::vector<double> orthonormalise(Columns& columns, size_t first) {
  constexpr double kRounding = 0x1p-50, kShrunk = 0.5;
  constexpr int kPasses = 5;
  const size_t count = columns.count(), width = count - first, padded = columns.padded();
  std::vector<double> triangle(count * width, 0);
  for (size_t j = first; j < count; j++) {
    double* column = columns[j];
    const double whole = std::sqrt(dot(column, column, padded));
    double norm = whole;
    for (int pass = 0; pass < kPasses && norm > whole * kRounding; pass++) {
      for (size_t i = 0; i < j; i++) {
        const double* other = columns[i];
        const double part = dot(other, column, padded);
        triangle[i * width + j - first] += part;
        for (size_t k = 0; k < padded; k++) column[k] -= part * other[k];
      }
      const double before = norm;
      norm = std::sqrt(dot(column, column, padded));
      if (norm > kShrunk * before) break;
    }
    const bool depends = !(norm > whole * kRounding);
    triangle[j * width + j - first] = depends ? 0 : norm;
    for (size_t k = 0; k < padded; k++) column[k] = depends ? 0 : column[k] / norm;
  }
  return triangle;
}

// Q_A (R_B R_A^T)^T: the right factor in the basis in which the left one is Q_B, which does not depend on how
// the update was factored; and scaled, so that its squares sum to 1.
Columns right_factor(const Columns& qa, const std::vector<double>& ra, const std::vector<double>& rb) {
  const size_t rank = qa.count();
  Columns right(qa.rows());
  right.append(rank);
  double square = 0;
  for (size_t i = 0; i < rank; i++) {
    for (size_t j = 0; j < rank; j++) {
      double entry = 0;
      for (size_t k = 0; k < rank; k++) entry += rb[i * rank + k] * ra[j * rank + k];
      square += entry * entry;
      for (size_t n = 0; n < qa.padded(); n++) right[i][n] += entry * qa[j][n];
    }
  }
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
  for (size_t i = 0; i < rank; i++) {
    for (size_t n = 0; n < qa.padded(); n++) right[i][n] *= scale;
  }
  return right;
}

// Leaves both factors orthonormal.
Decomposed decompose(Columns& a, Columns& b, bool moments) {
  Decomposed update = {};
  update.ra = orthonormalise(a, 0);
  update.rb = orthonormalise(b, 0);
  if (moments) sum_entries(b, right_factor(a, update.ra, update.rb), update.sums);
  return update;
}

bool fits(const Factor& factor) {
  size_t count = 1, size = 0;  // elements and bytes of a block
  switch (factor.dtype) {
    case Dtype::F64:
      size = 8;
      break;
    case Dtype::F32:
      size = 4;
      break;
    case Dtype::F16:
    case Dtype::BF16:
      size = 2;
      break;
    case Dtype::Q8_0:
      count = kQ8Count, size = kQ8Size;
      break;
    default:
      return false;
  }
  if (factor.rank == 0 || factor.rows == 0 || factor.size % size != 0) return false;
  const size_t elements = factor.size / size * count;
  return elements / factor.rank == factor.rows && elements == factor.rows * factor.rank;
}

}  // namespace

const char* invalid(const std::vector<Update>& updates) {
  if (updates.empty() || updates.size() > 2) return "one or two updates";
  for (const Update& update : updates) {
    if (!fits(update.a) || !fits(update.b)) return "a factor's bytes are not its shape";
    if (update.a.rank != update.b.rank) return "factors of another rank";
    if (update.a.rows != updates[0].a.rows || update.b.rows != updates[0].b.rows) return "other shapes";
  }
  return nullptr;
}

FactorResult decompose(const std::vector<Update>& updates) {
  FactorResult result;
  std::vector<Columns> as, bs;
  for (const Update& update : updates) {
    as.emplace_back(update.a.rows);
    bs.emplace_back(update.b.rows);
    if (!decode_columns(update.a, as.back()) || !decode_columns(update.b, bs.back())) return {};
  }
  if (updates.size() == 2) {
    Columns second_a = as[1], second_b = bs[1];
    result.updates = {decompose(as[0], bs[0], updates[0].moments),
                      decompose(second_a, second_b, updates[1].moments)};
    // The first's are orthonormal by now.
    as[0].append(as[1]);
    bs[0].append(bs[1]);
    result.second = {orthonormalise(as[0], updates[0].a.rank), orthonormalise(bs[0], updates[0].b.rank)};
  } else {
    result.updates = {decompose(as[0], bs[0], updates[0].moments)};
  }
  result.finite = true;
  return result;
}

}  // namespace steelyard
