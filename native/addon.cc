// The Node-API boundary: check, call, convert. No state of its own, so any number of threads and copies may
// load it.
#include <napi.h>

#include <cmath>
#include <cstring>
#include <iterator>
#include <new>
#include <string>

#include "adapter/factors.h"
#include "difference/difference.h"
#include "pass/measure.h"

namespace {

using steelyard::Dtype;
using steelyard::Io;
using steelyard::Job;
using steelyard::Outcome;
using steelyard::Pair;
using steelyard::PairMeasurement;
using steelyard::Part;
using steelyard::Place;
using steelyard::Range;

constexpr double kMaxSafeInteger = 9007199254740991.0;

constexpr size_t kRangeSize = 7;
constexpr uint64_t kRows = 1, kSketch = 2, kForensics = 4;

bool to_uint64(double value, uint64_t& out) {
  if (!(value >= 0 && value <= kMaxSafeInteger) || value != std::floor(value)) return false;
  out = static_cast<uint64_t>(value);
  return true;
}

// Seven numbers per range: start, end, dtype code or -1, columns, wanted (1: norms and digests of rows, 2:
// sketch, 4: forensics), and the low and high half of the sketch's seed.
const char* read_ranges(const Napi::Float64Array& plan, std::vector<Range>& ranges) {
  if (plan.ElementLength() % kRangeSize != 0) return "ranges: seven numbers each";
  ranges.reserve(plan.ElementLength() / kRangeSize);
  for (size_t i = 0; i < plan.ElementLength(); i += kRangeSize) {
    Range range = {};
    uint64_t code = 0, wanted = 0, seed_low = 0, seed_high = 0;
    range.counted = plan[i + 2] != -1;
    if (!to_uint64(plan[i], range.start) || !to_uint64(plan[i + 1], range.end) ||
        !to_uint64(plan[i + 3], range.rows.columns) || (range.counted && !to_uint64(plan[i + 2], code)) ||
        code >= steelyard::kDtypeCount || !to_uint64(plan[i + 4], wanted) ||
        wanted > (kRows | kSketch | kForensics) || !to_uint64(plan[i + 5], seed_low) ||
        !to_uint64(plan[i + 6], seed_high) || (seed_low | seed_high) >> 32 != 0) {
      return "ranges: start, end, dtype code or -1, columns, wanted, seed";
    }
    range.dtype = static_cast<Dtype>(code);
    range.rows.norms = (wanted & kRows) != 0;
    range.rows.sketch = (wanted & kSketch) != 0;
    range.forensics = (wanted & kForensics) != 0;
    range.rows.seed = seed_high << 32 | seed_low;
    ranges.push_back(range);
  }
  return nullptr;
}

Napi::Value fail(Napi::Env env, const char* message) {
  Napi::TypeError::New(env, std::string("steelyard: ") + message).ThrowAsJavaScriptException();
  return env.Undefined();
}

bool read_io(const Napi::Value& value, Io& io) {
  const std::string name = value.As<Napi::String>();
  if (name != "auto" && name != "mmap" && name != "pread") return false;
  io = name == "mmap" ? Io::kMmap : name == "pread" ? Io::kPread : Io::kAuto;
  return true;
}

// Words that this thread shares with others: the first one and that of a job. Null: none.
bool read_control(const Napi::Value& value, const Napi::Value& slot_value, std::atomic<int64_t>*& first,
                  std::atomic<int64_t>*& own) {
  if (value.IsNull()) return true;
  auto control = value.As<Napi::TypedArray>();
  const double slot = slot_value.As<Napi::Number>().DoubleValue();
  if (control.TypedArrayType() != napi_bigint64_array || !(slot >= 1 && slot < control.ElementLength()))
    return false;
  // Node-API's typed array accessors know SharedArrayBuffer only through this call.
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), control, nullptr, nullptr, &data, nullptr, nullptr) != napi_ok)
    return false;
  first = static_cast<std::atomic<int64_t>*>(data);
  own = first + static_cast<size_t>(slot);
  return true;
}

bool read_ring(const Napi::Value& value, Job& job) {
  const auto ring = value.As<Napi::TypedArray>();
  void* data = nullptr;
  if (ring.TypedArrayType() != napi_uint8_array ||
      napi_get_typedarray_info(value.Env(), ring, nullptr, nullptr, &data, nullptr, nullptr) != napi_ok ||
      data == nullptr)
    return false;
  job.ring = static_cast<const uint8_t*>(data);
  job.ring_size = ring.ElementLength();
  return true;
}

const char* outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return "done";
    case Outcome::kAborted:
      return "aborted";
    case Outcome::kTruncated:
      return "truncated";
    case Outcome::kFailed:
      return "failed";
  }
  return "failed";
}

// A worker that is terminated during the call comes back to an environment in which nothing can be made any
// more. The wrapper classes end the process when a call fails; these calls just fail, and nobody is left to
// read the result.
Napi::Value to_result(Napi::Env env, const steelyard::Measurement& measured, const char* kernel) {
  const char* outcome = outcome_name(measured.outcome);
  const size_t size = measured.record.size();
  void* bytes = nullptr;
  napi_value result, values[5];
  const bool made = napi_create_object(env, &result) == napi_ok &&
                    napi_create_string_utf8(env, outcome, NAPI_AUTO_LENGTH, &values[0]) == napi_ok &&
                    napi_create_string_utf8(env, kernel, NAPI_AUTO_LENGTH, &values[1]) == napi_ok &&
                    napi_create_double(env, static_cast<double>(measured.offset), &values[2]) == napi_ok &&
                    napi_create_int32(env, measured.error, &values[3]) == napi_ok &&
                    napi_create_arraybuffer(env, size, &bytes, &values[4]) == napi_ok;
  if (!made) return {};
  measured.record.copy_to(bytes);
  const char* names[] = {"outcome", "kernel", "offset", "errno", "record"};
  for (size_t i = 0; i < std::size(names); i++) {
    if (napi_set_named_property(env, result, names[i], values[i]) != napi_ok) return {};
  }
  return {env, result};
}

// measure(fd, size, ranges: Float64Array, control: BigInt64Array | null, slot, io, kernel | null, part =
// 'all', following = 0, ring = none) control[0]: abort flag; control[following]: bytes of a file that is
// still arriving, negative: no more will come; 0: it is all there; control[slot]: bytes done, unless the part
// is 'ranges': whoever digests the file tells them. ring: a Uint8Array that the bytes go through instead of
// the file.
Napi::Value Measure(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 7 || info.Length() > 10 || !info[0].IsNumber() || !info[1].IsNumber() ||
      !info[2].IsTypedArray() || !(info[3].IsNull() || info[3].IsTypedArray()) || !info[4].IsNumber() ||
      !info[5].IsString() || !(info[6].IsNull() || info[6].IsString()) ||
      (info.Length() >= 8 && !info[7].IsString()) || (info.Length() >= 9 && !info[8].IsNumber()) ||
      (info.Length() == 10 && !info[9].IsTypedArray())) {
    return fail(env, "wrong arguments");
  }
  Job job = {};
  job.fd = info[0].As<Napi::Number>().Int32Value();
  if (!to_uint64(info[1].As<Napi::Number>().DoubleValue(), job.size)) return fail(env, "size");
  if (info[2].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) return fail(env, "ranges");

  if (!read_io(info[5], job.io)) return fail(env, "io");

  const std::string part = info.Length() >= 8 ? info[7].As<Napi::String>().Utf8Value() : "all";
  if (part != "all" && part != "ranges") return fail(env, "part");
  job.part = part == "ranges" ? Part::kRanges : Part::kAll;

  job.kernel = info[6].IsNull() ? &steelyard::best_kernel()
                                : steelyard::find_kernel(info[6].As<Napi::String>().Utf8Value());
  if (job.kernel == nullptr) return fail(env, "this CPU cannot run that kernel");

  std::atomic<int64_t>*abort = nullptr, *progress = nullptr;
  if (!read_control(info[3], info[4], abort, progress)) return fail(env, "control");
  job.abort = abort;
  job.progress = job.part != Part::kRanges ? progress : nullptr;
  if (info.Length() >= 9 && info[8].As<Napi::Number>().DoubleValue() != 0) {
    std::atomic<int64_t>* available = nullptr;
    if (!read_control(info[3], info[8], abort, available) || available == nullptr)
      return fail(env, "following");
    job.available = available;
  }
  if (info.Length() == 10 && !read_ring(info[9], job)) return fail(env, "ring");

  try {
    if (const char* problem = read_ranges(info[2].As<Napi::Float64Array>(), job.ranges))
      return fail(env, problem);
    if (const char* problem = steelyard::invalid(job)) return fail(env, problem);
    const steelyard::Measurement measured = steelyard::measure(job);

    return to_result(env, measured, job.kernel->name);
  } catch (const std::bad_alloc&) {
    return fail(env, "out of memory");
  }
}

Napi::Value to_result(Napi::Env env, const PairMeasurement& measured) {
  const size_t size = measured.record.size();
  void* bytes = nullptr;
  napi_value result, values[5];
  const bool made =
      napi_create_object(env, &result) == napi_ok &&
      napi_create_string_utf8(env, outcome_name(measured.outcome), NAPI_AUTO_LENGTH, &values[0]) == napi_ok &&
      napi_create_uint32(env, measured.side, &values[1]) == napi_ok &&
      napi_create_double(env, static_cast<double>(measured.offset), &values[2]) == napi_ok &&
      napi_create_int32(env, measured.error, &values[3]) == napi_ok &&
      napi_create_arraybuffer(env, size, &bytes, &values[4]) == napi_ok;
  if (!made) return {};
  measured.record.copy_to(bytes);
  const char* names[] = {"outcome", "side", "offset", "errno", "record"};
  for (size_t i = 0; i < std::size(names); i++) {
    if (napi_set_named_property(env, result, names[i], values[i]) != napi_ok) return {};
  }
  return {env, result};
}

// Of each side: descriptor, size of the file, start, dtype code; then elements and columns, 0 for no matrix.
bool read_pair(const Napi::Float64Array& plan, Pair& pair) {
  if (plan.ElementLength() != 10) return false;
  for (size_t i = 0; i < 2; i++) {
    Place& place = pair.sides[i];
    uint64_t fd = 0, code = 0;
    if (!to_uint64(plan[4 * i], fd) || fd > INT32_MAX || !to_uint64(plan[4 * i + 1], place.size) ||
        !to_uint64(plan[4 * i + 2], place.start) || !to_uint64(plan[4 * i + 3], code) ||
        code >= steelyard::kDtypeCount)
      return false;
    place.fd = static_cast<int>(fd);
    place.dtype = static_cast<Dtype>(code);
  }
  return to_uint64(plan[8], pair.count) && to_uint64(plan[9], pair.columns);
}

// difference(plan: Float64Array, what: BigInt | Float64Array, control: BigInt64Array | null, slot, io, side =
// 'left') what: the seed of the sketch, or a basis: rows x rank, onto which the difference is projected
// instead; of the side 'right' columns x rank, which it is multiplied by.
Napi::Value Difference(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 5 || info.Length() > 6 || (info.Length() == 6 && !info[5].IsString()) ||
      !info[0].IsTypedArray() || !(info[1].IsBigInt() || info[1].IsTypedArray()) ||
      !(info[2].IsNull() || info[2].IsTypedArray()) || !info[3].IsNumber() || !info[4].IsString()) {
    return fail(env, "wrong arguments");
  }
  Pair pair = {};
  if (info[0].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array ||
      !read_pair(info[0].As<Napi::Float64Array>(), pair))
    return fail(env, "plan");
  if (!read_io(info[4], pair.io)) return fail(env, "io");
  std::atomic<int64_t>*abort = nullptr, *progress = nullptr;
  if (!read_control(info[2], info[3], abort, progress)) return fail(env, "control");
  pair.abort = abort;
  pair.progress = progress;
  if (const char* problem = steelyard::invalid(pair)) return fail(env, problem);
  try {
    if (info[1].IsBigInt()) {
      bool lossless = false;
      const uint64_t seed = info[1].As<Napi::BigInt>().Uint64Value(&lossless);
      return to_result(env, steelyard::measure_difference(pair, seed));
    }
    if (info[1].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) return fail(env, "basis");
    const auto basis = info[1].As<Napi::Float64Array>();
    const std::string side = info.Length() == 6 ? info[5].As<Napi::String>().Utf8Value() : "left";
    if (side != "left" && side != "right") return fail(env, "side");
    const uint64_t rows = pair.columns == 0 ? 0 : side == "right" ? pair.columns : pair.count / pair.columns;
    if (rows == 0 || basis.ElementLength() % rows != 0 || basis.ElementLength() / rows > steelyard::kBasisMax)
      return fail(env, "basis");
    const auto rank = static_cast<unsigned>(basis.ElementLength() / rows);
    return to_result(env, side == "right" ? steelyard::multiply_difference(pair, basis.Data(), rank)
                                          : steelyard::project_difference(pair, basis.Data(), rank));
  } catch (const std::bad_alloc&) {
    return fail(env, "out of memory");
  }
}

// Six numbers per update: dtype codes of A and B, rank, in, out; and 1 if A stands as rank x in, plus 2 if B
// as rank x out, plus 4 if no moments are wanted.
const char* read_updates(const Napi::Array& bytes, const Napi::Float64Array& plan,
                         std::vector<steelyard::Update>& updates) {
  if (plan.ElementLength() % 6 != 0 || bytes.Length() != plan.ElementLength() / 3) return "plan";
  for (size_t i = 0; i < plan.ElementLength() / 6; i++) {
    uint64_t numbers[6];
    for (size_t k = 0; k < 6; k++) {
      if (!to_uint64(plan[6 * i + k], numbers[k])) return "plan";
    }
    steelyard::Update update = {};
    update.moments = (numbers[5] >> 2 & 1) == 0;
    for (uint32_t k = 0; k < 2; k++) {
      const Napi::Value value = bytes[static_cast<uint32_t>(2 * i + k)];
      if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array ||
          numbers[k] >= steelyard::kDtypeCount) {
        return "factors";
      }
      const auto data = value.As<Napi::Uint8Array>();
      (k == 0 ? update.a : update.b) = {data.Data(),
                                        data.ByteLength(),
                                        static_cast<Dtype>(numbers[k]),
                                        static_cast<size_t>(numbers[3 + k]),
                                        static_cast<size_t>(numbers[2]),
                                        (numbers[5] >> k & 1) != 0};
    }
    updates.push_back(update);
  }
  return steelyard::invalid(updates);
}

// factors(bytes: Uint8Array[], plan: Float64Array): Float64Array, or null where a value is not finite.
// For each update R_A, R_B and four sums; after two the second one's factors in the basis of both.
Napi::Value Factors(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() != 2 || !info[0].IsArray() || !info[1].IsTypedArray() ||
      info[1].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
    return fail(env, "wrong arguments");
  }
  try {
    std::vector<steelyard::Update> updates;
    if (const char* problem =
            read_updates(info[0].As<Napi::Array>(), info[1].As<Napi::Float64Array>(), updates))
      return fail(env, problem);
    const steelyard::FactorResult result = steelyard::decompose(updates);
    if (!result.finite) return env.Null();
    std::vector<double> slots;
    const auto add = [&slots](const std::vector<double>& values) {
      slots.insert(slots.end(), values.begin(), values.end());
    };
    for (const steelyard::Decomposed& update : result.updates) {
      add(update.ra);
      add(update.rb);
      slots.insert(slots.end(), update.sums, update.sums + 4);
    }
    add(result.second.a);
    add(result.second.b);
    // As in to_result: a worker that is terminated meanwhile finds no environment to make anything in.
    void* data = nullptr;
    napi_value buffer, array;
    if (napi_create_arraybuffer(env, slots.size() * sizeof(double), &data, &buffer) != napi_ok ||
        napi_create_typedarray(env, napi_float64_array, slots.size(), buffer, 0, &array) != napi_ok) {
      return {};
    }
    std::memcpy(data, slots.data(), slots.size() * sizeof(double));
    return {env, array};
  } catch (const std::bad_alloc&) {
    return fail(env, "out of memory");
  }
}

Napi::Value Kernels(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (size_t i = 0; i < steelyard::kKernelCount; i++) {
    if (steelyard::kKernels[i].usable()) names.Set(names.Length(), steelyard::kKernels[i].name);
  }
  return names;
}

// [name, elements per block, bytes per block] in the order of their codes.
Napi::Value Dtypes(const Napi::CallbackInfo& info) {
  Napi::Array rows = Napi::Array::New(info.Env());
  for (const steelyard::DtypeRow& dtype : steelyard::kDtypes) {
    Napi::Array row = Napi::Array::New(info.Env());
    row.Set(0u, dtype.name);
    row.Set(1u, dtype.block_count);
    row.Set(2u, dtype.block_size);
    rows.Set(rows.Length(), row);
  }
  return rows;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("measure", Napi::Function::New(env, Measure, "measure"));
  exports.Set("difference", Napi::Function::New(env, Difference, "difference"));
  exports.Set("factors", Napi::Function::New(env, Factors, "factors"));
  exports.Set("kernels", Napi::Function::New(env, Kernels, "kernels"));
  exports.Set("dtypes", Napi::Function::New(env, Dtypes, "dtypes"));
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
