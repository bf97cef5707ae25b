#!/usr/bin/env bash
# Installs what is missing of the Debian 12 packages that Synod is built with. Needs root only when something is missing.
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache mold pkg-config
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
  librocksdb-dev libssl-dev libgmp-dev zlib1g-dev libzip-dev
  libboost1.81-dev libboost-json1.81-dev
  libfmt-dev libyaml-cpp-dev libcli11-dev libexpected-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  librdkafka-dev libpqxx-dev libjemalloc-dev
  postgresql-15 default-jre-headless maven golang-go  # engines that the tests start
  python3
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "packages: all ${#packages[@]} are there"
  exit 0
fi

run=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "packages: missing ${missing[*]}; run this as root, or install sudo" >&2; exit 1; }
  run=(sudo)
fi
echo "packages: installing ${missing[*]}"
"${run[@]}" apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
