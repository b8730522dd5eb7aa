#!/bin/sh
# Sets up, checks, runs the tests: all of them, or those under the paths given.
cd "$(dirname "$0")/.." || exit 1
if [ ! -e node_modules/vitest ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci || exit 1
fi
sh scripts/check.sh || exit 1
exec node_modules/.bin/node scripts/test.ts "$@"
