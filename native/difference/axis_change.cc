#include "difference/axis_change.h"

#include <algorithm>

namespace steelyard {

AxisChange::AxisChange(uint64_t count)
    : count_(count), bands_(static_cast<size_t>(std::min<uint64_t>(count, kBands))) {}

void AxisChange::add(uint64_t index, bool changed, const LineSums& sums) {
  good_ += sums.good;
  if (!changed) return;
  changed_++;
  sum_ += sums.difference;
  squares_ += sums.difference * sums.difference;
  // Not index * bands / count, which could overflow.
  const double share = static_cast<double>(index) / static_cast<double>(count_);
  const size_t band = static_cast<size_t>(share * static_cast<double>(bands_.size()));
  bands_[std::min(band, bands_.size() - 1)] += sums.difference;
  lines_.push_back({index, sums});
  if (lines_.size() >= 2 * kLines) keep_largest();
}

bool AxisChange::is_larger(const Line& a, const Line& b) {
  return a.sums.difference != b.sums.difference ? a.sums.difference > b.sums.difference : a.index < b.index;
}

void AxisChange::keep_largest() {
  std::nth_element(lines_.begin(), lines_.begin() + kLines, lines_.end(), is_larger);
  lines_.resize(kLines);
}

void AxisChange::write(Record& record) {
  if (lines_.size() > kLines) keep_largest();
  std::sort(lines_.begin(), lines_.end(), is_larger);
  record.put(count_);
  record.put(changed_);
  record.put(sum_);
  record.put(squares_);
  record.put(good_);
  record.put(uint64_t{bands_.size()});
  for (double band : bands_) record.put(band);
  record.put(uint64_t{lines_.size()});
  for (const Line& line : lines_) {
    record.put(line.index);
    record.put(line.sums.difference);
    record.put(line.sums.good);
    record.put(line.sums.suspect);
  }
}

}  // namespace steelyard
