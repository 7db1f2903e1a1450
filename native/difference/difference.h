// How two tensors differ: one forward pass over both, and, where the change is of low rank, a second one.
#pragma once
#include <cstdint>
#include <vector>

#include "difference/pair_reader.h"
#include "pass/measure.h"
#include "record/stats.h"

namespace steelyard {

struct PairMeasurement {
  Outcome outcome = Outcome::kDone;
  unsigned side = 0;    // on which reading failed,
  uint64_t offset = 0;  // and where
  int error = 0;        // errno
  Record record;
};

// D = suspect - good over all elements that are finite on both sides, in double precision: everything that
// src/scan/measure/difference/difference.ts reads, in its order. `seed`: of the sketch (sketch.h), whose sign
// matrix has a row for every column of D.
PairMeasurement measure_difference(const Pair& pair, uint64_t seed);

// The most columns that a basis may have.
constexpr unsigned kBasisMax = 1024;

// Q^T D, `rank` x columns, where `basis` is Q, rows x rank.
PairMeasurement project_difference(const Pair& pair, const double* basis, unsigned rank);

// D V, rows x `rank`, where `basis` is V, columns x rank.
PairMeasurement multiply_difference(const Pair& pair, const double* basis, unsigned rank);

}  // namespace steelyard
