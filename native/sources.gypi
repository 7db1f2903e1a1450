{
  "variables": {
    "steelyard_source_files": [
      "addon.cc",
      "blocks.cc",
      "blocks_avx2.cc",
      "blocks_avx512.cc",
      "code_histogram.cc",
      "codes.cc",
      "counts.cc",
      "dispatch.cc",
      "entropy.cc",
      "floats.cc",
      "measure.cc",
      "moments.cc",
      "quantized.cc",
      "rows.cc",
      "sha256.cc",
      "sha256_arm.cc",
      "sha256_x86.cc",
      "sigbus.cc",
      "stats.cc",
      "sweep.cc",
      "sweep_x86.cc",
      "values.cc",
      "wide.cc",
      "window.cc",
      "woven.cc",
      "woven_x86.cc"
    ],
    "steelyard_defines": [
      "NAPI_VERSION=9",
      "NAPI_DISABLE_CPP_EXCEPTIONS",
      "NODE_ADDON_API_DISABLE_DEPRECATED",
      "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
    ]
  }
}
