#!/bin/sh
# Installs what is needed, then becomes the supervisor: `npm start`, or `npm start -- --nodes 2`.
cd "$(dirname "$0")/.." || exit 1
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "installing npm packages …" >&2
  npm ci --omit=dev &
  installing=$!
  trap 'kill "$installing"; wait "$installing"; exit 0' INT TERM HUP
  wait "$installing" || exit 1
  trap - INT TERM HUP
fi
if [ ! -x node_modules/.bin/node ]; then
  echo "Node 24 could not be installed for this platform: install it from https://nodejs.org and run node scripts/start.ts" >&2
  exit 1
fi
NODE_COMPILE_CACHE=$PWD/.berth/compile-cache exec node_modules/.bin/node --disable-warning=ExperimentalWarning scripts/start.ts "$@"
