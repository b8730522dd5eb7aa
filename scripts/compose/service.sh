#!/bin/sh
# Becomes a service, or nats-server. Instances of a scaled service differ by their container's name.
cd /berth || exit 1
[ "$1" = nats ] && exec nats-server -c nats.conf
rm -f "$BERTH_HEALTH_FILE" # Of this container before a restart.
export BERTH_INSTANCE="$1-$(hostname)"
exec node --disable-warning=ExperimentalWarning --max-semi-space-size=2 "services/$1/main.ts"
