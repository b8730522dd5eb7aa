#!/bin/sh
# Healthy is a service whose own process holds a connection to NATS (ports are hexadecimal there), and
# with a port as argument, listens on it too.
sockets=" $(for fd in /proc/1/fd/*; do readlink "$fd"; done | tr '\n' ' ')"

holds() { # the state and the column of the port, of one of the process's own sockets
  awk -v state="$1" -v column="$2" -v port="$3" '$4 == state && $column ~ ":" port "$" { print $10 }' \
    /proc/1/net/tcp /proc/1/net/tcp6 2>/dev/null | while read -r inode; do
    case "$sockets" in *"socket:[$inode]"*) echo yes ;; esac
  done | grep -q yes
}

hex() {
  printf '%04X' "$1"
}

if [ "$1" = nats ]; then
  holds 0A 2 "$(hex 4222)"
  exit
fi
holds 01 3 "$(hex "${BERTH_NATS_URL##*:}")" || exit 1
[ -z "$1" ] || holds 0A 2 "$(hex "$1")"
