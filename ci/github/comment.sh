#!/usr/bin/env bash
# One comment a pull request, found again by a marker that nobody sees, and written anew each time.
set -euo pipefail

[ -f "${MARKDOWN:-}" ] || exit 0
case $NUMBER in
  '' | *[!0-9]*)
    echo "steelyard: the input comment must be the number of a pull request" >&2
    exit 2
    ;;
esac
marker='<!-- steelyard -->'
body=$(mktemp "${RUNNER_TEMP:-/tmp}/steelyard-XXXXXX")
# GitHub takes 65,536 characters.
{
  echo "$marker"
  head -c 60000 "$MARKDOWN"
} >"$body"
comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
id=$(gh api --paginate "$comments" --jq ".[] | select(.body | startswith(\"$marker\")) | .id" | head -n 1)
if [ -n "$id" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$body" >/dev/null
else
  gh api --method POST "$comments" --field "body=@$body" >/dev/null
fi
