#!/bin/sh
# Healthy is a service that has lately done its work, which it says by touching this file: the api,
# controllers and scheduler read the state as it is now, the agent's and the lb's heartbeats were
# answered. Every two seconds at most; what is older than this is stuck or cut off.
age_max_seconds=15

if [ "$1" = nats ]; then
  # Its own check, JetStream included, with what every image of it has.
  exec node -e 'require("node:http").get("http://127.0.0.1:8222/healthz", ({ statusCode }) =>
    process.exit(statusCode === 200 ? 0 : 1)).on("error", () => process.exit(1))'
fi
marked=$(stat -c %Y "$BERTH_HEALTH_FILE") || exit 1
[ $(($(date +%s) - marked)) -le "$age_max_seconds" ]
