#!/usr/bin/env bash
# One reading of the model, many reports. The exit code is an output: the reports are uploaded before the job fails.
set -uo pipefail

folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/steelyard-XXXXXX")
arguments=(scan --format json --output "$folder/report.json")
for format in sarif markdown annotations; do arguments+=(--report "$format=$folder/$format"); done
[ -z "${BASELINE:-}" ] || arguments+=(--baseline "$BASELINE")
[ -z "${MODE:-}" ] || arguments+=(--mode "$MODE")
[ -z "${POLICY:-}" ] || arguments+=(--policy "$POLICY")
[ -z "${FAIL_ON:-}" ] || arguments+=(--fail-on "$FAIL_ON")

paths=()
while IFS= read -r path; do [ -z "$path" ] || paths+=("$path"); done <<<"${PATHS:-}"
# After --, no path is an option.
steelyard "${arguments[@]}" -- "${paths[@]}"
code=$?

case $code in
  0) outcome=pass ;;
  1) outcome=fail ;;
  *) outcome=error ;;
esac
{
  echo "code=$code"
  echo "outcome=$outcome"
  [ ! -f "$folder/report.json" ] || echo "report=$folder/report.json"
  [ ! -f "$folder/sarif" ] || echo "sarif=$folder/sarif"
  [ ! -f "$folder/markdown" ] || echo "markdown=$folder/markdown"
} >>"$GITHUB_OUTPUT"
[ ! -f "$folder/markdown" ] || cat "$folder/markdown" >>"$GITHUB_STEP_SUMMARY"
[ ! -f "$folder/annotations" ] || cat "$folder/annotations"
# The last step ends with the code.
exit 0
