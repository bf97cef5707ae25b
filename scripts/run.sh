#!/usr/bin/env bash
# From nothing to a running network: installs what is missing, builds, starts two organisations, lets them transact, stops.
# The network's files stay in testnet-data/; remove the folder to remove the network.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-packages.sh
scripts/build.sh synod
trap 'build/synod testnet down' EXIT
build/synod testnet up --detach
build/synod testnet demo
