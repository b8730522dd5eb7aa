#!/bin/sh
# Types, lint, format, the direction of imports, unused code: all at once, all reported.
cd "$(dirname "$0")/.." || exit 1
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
failed=0

check() {
  name=$1
  shift
  ("$@" >"$out/$name" 2>&1 || echo "$name" >>"$out/failed") &
}

check types tsc --noEmit -p .
check lint oxlint --type-aware --deny-warnings
check format oxfmt --check .
check imports node scripts/check/imports.ts
check unused knip --no-progress
wait

for name in types lint format imports unused; do
  if grep -qx "$name" "$out/failed" 2>/dev/null; then
    printf '\n%s\n' "check failed: $name"
    cat "$out/$name"
    failed=1
  fi
done
[ "$failed" = 0 ] && echo "check: types, lint, format, imports, unused: fine"
exit "$failed"
