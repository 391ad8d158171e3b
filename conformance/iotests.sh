#!/usr/bin/env bash
# Runs the reference's own tests (qemu-iotests) with our tools:
#   iotests.sh DIST -FORMAT [-PROTOCOL] [TEST...]
# The tests come from Debian's source package and stay in a cache outside the tree. Which of them
# run is said in iotests-FORMAT.txt beside this script (iotests-FORMAT-PROTOCOL.txt where a protocol
# other than file is named), with a reason for each that does not.
set -euo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dist=$1
shift
options=() tests=() format= protocol=
for argument; do
  case $argument in
    -file) options+=("$argument") ;;
    -nbd) options+=("$argument") protocol=${argument#-} ;;
    -*) options+=("$argument") format=${format:-${argument#-}} ;;
    *) tests+=("$argument") ;;
  esac
done
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tinamou/iotests

# One that cannot be fetched is not a failure of ours, but nobody may overlook it.
left_out() {
  echo "LEFT OUT: the reference's tests, because $*"
  echo "0 passed, 0 failed, 1 left out"
  exit "${TINAMOU_PEERS_REQUIRED:-0}"
}

# apt ARGUMENT...: the package client, with lists and sources of its own.
apt() {
  apt-get -q -o Dir::Etc::sourcelist="$cache/apt/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$cache/apt/lists" -o Dir::Cache="$cache/apt/cache" "$@"
}

# Unpacks the tests that may be read and run: those with even numbers and those named a to m.
fetch() {
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg release
  command -v apt-get >/dev/null || left_out "there is no apt-get"
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
  echo "tinamou: fetching the source package qemu into $cache" >&2
  rm -rf "$cache"
  mkdir -p "$cache"/apt/lists/partial "$cache"/apt/cache/archives/partial "$cache/tree"
  for suite in "debian $release" "debian $release-updates" "debian-security $release-security"; do
    echo "deb-src [signed-by=$keyring] http://deb.debian.org/${suite% *} ${suite#* } main"
  done >"$cache/apt/sources.list"
  (cd "$cache" && apt update && apt source --download-only qemu) >"$cache/log" 2>&1 ||
    left_out "the source package qemu could not be fetched (see $cache/log)"
  tar -xJf "$cache"/qemu_*.orig.tar.* -C "$cache/tree" --strip-components=1 --wildcards \
    --exclude='*/tests/qemu-iotests/[0-9][0-9][13579]*' --exclude='*/tests/qemu-iotests/tests/[n-z]*' \
    '*/tests/qemu-iotests' '*/python/qemu'
  tar -xf "$cache"/qemu_*.debian.tar.* -C "$cache" debian/patches
  (
    cd "$cache/tree"
    mapfile -t files < <(find tests python -type f -printf '--include=%p\n')
    for patch in $(ls -v ../debian/patches/v*.diff); do
      # Parts of a release's patch that do not concern the tests may be of a form git does not take.
      git apply "${files[@]}" "$patch" 2>>"$cache/log" || echo "not applied: $patch" >>"$cache/log"
    done
  )
  rm -rf "$cache/debian"
  touch "$cache/.complete"
}

# Programs that are not part of what is tested; the harness wants to see them all.
stand_ins() {
  local name
  mkdir -p "$cache/absent"
  cat >"$cache/absent/program" <<'PROGRAM'
#!/bin/sh
case "$*" in
  *-machine\ help*) echo "none                 empty machine (default)"; exit 0 ;;
esac
echo "${0##*/}: not part of this run" >&2
exit 1
PROGRAM
  chmod +x "$cache/absent/program"
  for name in qemu-system-x86_64 qemu-nbd qemu-storage-daemon; do
    ln -sfn program "$cache/absent/$name"
  done
}

# Every test in Python asks for a device named virtio-blk before it begins, and then uses drives
# through the monitor. Our machine holds such drives and has no devices yet, so this one question is
# answered for it.
machine() {
  mkdir -p "$cache/machine"
  cat >"$cache/machine/qemu-system-x86_64" <<'PROGRAM'
#!/bin/sh
case "$*" in
  *"-M none -device help") echo 'name "virtio-blk", bus virtio-bus'; exit 0 ;;
esac
exec "$MACHINE_PROG" "$@"
PROGRAM
  chmod +x "$cache/machine/qemu-system-x86_64"
}

program() {
  if [ -x "$dist/compat/$1" ]; then echo "$dist/compat/$1"; else echo "$cache/absent/$1"; fi
}

name=iotests-$format${protocol:+-$protocol}.txt
list=$here/$name
[ -f "$list" ] || { echo "tinamou: no list of tests, $name" >&2; exit 2; }
command -v python3 >/dev/null || left_out "there is no python3"
[ -f "$cache/.complete" ] || fetch
stand_ins
machine
if [ ${#tests[@]} = 0 ]; then
  mapfile -t tests < <(awk '$2 == "run" { print $1 }' "$list")
  awk '$2 == "out:" { left++ } END { if (left) printf "%d tests are out, see conformance/%s\n", left, name }' \
    name="$name" "$list"
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export QEMU_PROG QEMU_IMG_PROG QEMU_IO_PROG QEMU_NBD_PROG QSD_PROG TEST_DIR=$scratch
export MACHINE_PROG
MACHINE_PROG=$(program qemu-system-x86_64) QEMU_PROG=$cache/machine/qemu-system-x86_64
QEMU_IMG_PROG=$(program qemu-img) QEMU_IO_PROG=$(program qemu-io)
QEMU_NBD_PROG=$(program qemu-nbd) QSD_PROG=$(program qemu-storage-daemon)
passed=0 failed=0
cd "$cache/tree/tests/qemu-iotests"
for test in "${tests[@]}"; do
  code=0
  timeout -k 10 300 python3 ./check "${options[@]}" "$test" >"$scratch/log" 2>&1 </dev/null || code=$?
  if grep -q "^Not run: .*$test" "$scratch/log"; then
    echo "$test not run: $(grep -oE 'not run .*' "$scratch/log" | sed -E 's/.*\.\.\. +//' | head -n 1)"
    failed=$((failed + 1))
  elif [ "$code" = 0 ]; then
    echo "$test passed"
    passed=$((passed + 1))
  else
    echo "$test FAILED (exit code $code)"
    awk -v most="${DIFF_LINES:-40}" '/^---/ { on = 1 } on && n++ < most' "$scratch/log"
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
