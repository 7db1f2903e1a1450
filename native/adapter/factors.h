// The long products of low-rank updates: QR of the factors, and power sums of the entries of their product,
// which is never formed. What is left are matrices as large as the rank, for a library.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "record/dtype.h"

namespace steelyard {

// A factor as it stands in the file. Its columns are the rank: rows x rank as B has it, or transposed as A
// has it, rank x rows.
struct Factor {
  const uint8_t* data;
  size_t size;
  Dtype dtype;  // F64, F32, F16, BF16, Q8_0
  size_t rows, rank;
  bool transposed;
};

// s B A without its scale: B is out x rank, A stands as rank x in. Without moments the sums are zeros: they
// cost most of the time.
struct Update {
  Factor a, b;
  bool moments;
};

// One update by itself: F = Q R for both factors, and of all entries x of BA the sums of x, x^2, x^3 and x^4,
// scaled so that the squares of R_B R_A^T sum to 1.
struct Decomposed {
  std::vector<double> ra, rb;  // upper triangles, row by row
  double sums[4];
};

// A second update in the basis of both: [F1 F2] = [Q1 Q2] [R1 S; 0 T], and here S over T.
struct Continued {
  std::vector<double> a, b;  // (rank1 + rank2) x rank2, row by row
};

struct FactorResult {
  bool finite = false;  // no NaN, no infinity; nothing else is filled in otherwise
  std::vector<Decomposed> updates;
  Continued second;  // of two
};

// Why updates cannot be taken, or nullptr. One or two; two have factors of the same rows.
const char* invalid(const std::vector<Update>& updates);
FactorResult decompose(const std::vector<Update>& updates);

}  // namespace steelyard
