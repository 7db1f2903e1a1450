// The order of a record's slots. src/scan/measure/record/record.ts is its mirror.
#include "record/stats.h"

namespace steelyard {
namespace {

void write_run(Record& record, const MagnitudeRun& run) {
  record.put(static_cast<double>(run.first));
  record.put_all(run.counts);
}

void write_scales(Record& record, const ScaleStats& scales) {
  record.put(uint64_t{scales.present});
  if (!scales.present) return;
  for (uint64_t count :
       {scales.count, scales.zero, scales.negative, scales.nan, scales.inf, scales.subnormal}) {
    record.put(count);
  }
  for (double value : {scales.min, scales.max, scales.mean, scales.std, scales.entropy}) record.put(value);
}

}  // namespace

void Stats::write(Record& record) const {
  for (uint64_t tally : {count, zero, negative_zero, nan, pos_inf, neg_inf, subnormal, distinct_nan}) {
    record.put(tally);
  }
  record.put(uint64_t{has_values});
  for (uint64_t bits : {min_bits, max_bits, abs_max_bits}) record.put_bits(bits);
  for (double value : {mean, std, l1, l2, skewness, kurtosis}) record.put(value);
  for (double bits : {code_entropy, exponent_entropy, mantissa_entropy}) record.put(bits);
  record.put(uint64_t{byte_entropy.size()});
  for (double bits : byte_entropy) record.put(bits);
  write_run(record, negative);
  write_run(record, positive);
  record.put_all(trailing_zeros);
  record.put(uint64_t{quantized.present});
  if (!quantized.present) return;
  record.put(quantized.blocks);
  record.put(quantized.blocks_at_extreme);
  write_scales(record, quantized.scales);
  write_scales(record, quantized.mins);
  record.put_all(quantized.quants);
  record.put(quantized.quants_entropy);
}

}  // namespace steelyard
