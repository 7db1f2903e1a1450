{
  "variables": {
    "steelyard_source_files": [
      "addon.cc",
      "codes.cc",
      "counts.cc",
      "dispatch.cc",
      "entropy.cc",
      "measure.cc",
      "quantized.cc",
      "rows.cc",
      "sha256.cc",
      "sha256_arm.cc",
      "sha256_x86.cc",
      "sigbus.cc",
      "stats.cc",
      "values.cc",
      "wide.cc",
      "window.cc"
    ],
    "steelyard_defines": [
      "NAPI_VERSION=9",
      "NAPI_DISABLE_CPP_EXCEPTIONS",
      "NODE_ADDON_API_DISABLE_DEPRECATED",
      "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
    ]
  }
}
