#!/bin/sh
# Installs from Debian what the base image lacks: nothing, when it is one of make-base.ts.
set -e
missing=""
command -v nft >/dev/null || missing="$missing nftables"
command -v iptables >/dev/null || missing="$missing iptables"
command -v ip >/dev/null || missing="$missing iproute2"
command -v conntrack >/dev/null || missing="$missing conntrack"
if [ -n "$missing" ]; then
  apt-get update
  # Word splitting is wanted: one word a package.
  apt-get install -y --no-install-recommends $missing
fi
if ! command -v nats-server >/dev/null; then
  # The base's own release has an older nats-server than 2.12.3.
  echo "deb http://deb.debian.org/debian sid main" >/tmp/sid.list
  set -- -o Dir::Etc::sourcelist=/tmp/sid.list -o Dir::Etc::sourceparts=/dev/null
  apt-get "$@" update
  cd /tmp
  apt-get "$@" download nats-server/sid
  dpkg -x nats-server_*.deb unpacked
  find unpacked -type f -name nats-server -exec cp {} /usr/local/bin/ \;
  rm -rf unpacked nats-server_*.deb sid.list
fi
rm -rf /var/lib/apt/lists
