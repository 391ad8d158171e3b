#!/usr/bin/env bash
# Drives our storage daemon with the reference's own Python client and its qmp-shell, unchanged, and
# has both answer what a manager of virtual machines says during backups and migrations:
#   qmp.sh DIST
# The clients come from the source package that the reference's tests are fetched from.
set -euo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ours=$1/compat/qemu-storage-daemon
python=${XDG_CACHE_HOME:-$HOME/.cache}/tinamou/iotests/tree/python

left_out() {
  echo "LEFT OUT: the reference's clients, because $*"
  echo "0 passed, 0 failed, 1 left out"
  exit "${TINAMOU_PEERS_REQUIRED:-0}"
}

command -v python3 >/dev/null || left_out "there is no python3"
[ -d "$python/qemu/qmp" ] || left_out "the tests were not fetched (./tinamou conformance -raw fetches them)"
[ -x "$ours" ] || left_out "there is no storage daemon in $1"

work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
passed=0 failed=0

# start PROGRAM: a daemon that listens on $work/socket.
start() {
  timeout 60 "$1" --chardev "socket,id=c,path=$work/socket,server=on,wait=off" --monitor c >"$work/log" 2>&1 &
  pid=$!
  for _ in $(seq 300); do
    [ ! -S "$work/socket" ] || return 0
    sleep 0.1
  done
  echo "$1 does not listen:" && cat "$work/log"
  return 1
}

# The daemon ends by itself, and well.
ended() {
  local code=0
  wait "$pid" || code=$?
  pid=
  [ $code = 0 ] || { echo "the daemon ended with code $code" && cat "$work/log" && return 1; }
  [ ! -e "$work/socket" ] || { echo "the socket is left behind" && return 1; }
}

client() {
  start "$1" && PYTHONPATH=$python timeout 60 python3 "$here/qmp_client.py" "$work/socket" && ended
}

# What qmp-shell shows, apart from who has packaged the program. It may stumble over a daemon that has gone before it, which is its own affair.
shell() {
  start "$1" || return 1
  printf '%s\n' 'query-version' 'nope' 'blockdev-add driver=null-co node-name=n size=65536' \
    'query-named-block-nodes flat=true' 'blockdev-del node-name=m' 'blockdev-del node-name=n' 'quit' |
    PYTHONPATH=$python timeout 60 python3 -m qemu.qmp.qmp_shell "$work/socket" 2>/dev/null |
    sed 's/"package": "[^"]*"/"package": "..."/' || true
  ended
}

check() {
  if "${@:2}"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $1"
  fi
}

same_shell() {
  shell "$ours" >"$work/ours" || return 1
  if command -v qemu-storage-daemon >/dev/null; then
    shell "$(command -v qemu-storage-daemon)" >"$work/reference"
    diff -u "$work/reference" "$work/ours"
  fi
}

# transcript SCENARIO: both programs give the same answers and events.
transcript() {
  command -v qemu-system-x86_64 >/dev/null || { echo "qemu-system-x86_64 is not installed" && return 1; }
  local side program
  for side in reference ours; do
    mkdir "$work/$1-$side"
    program=$(command -v qemu-system-x86_64)
    [ $side = reference ] || program=${ours%/*}/qemu-system-x86_64
    timeout 120 python3 "$here/qmp_transcript.py" "$program" "$(command -v qemu-img)" \
      "$work/$1-$side" "$1" >"$work/$1-$side.txt" 2>&1 || { tail -n 20 "$work/$1-$side.txt" && return 1; }
  done
  diff -u "$work/$1-reference.txt" "$work/$1-ours.txt"
}

check "the Python client" client "$ours"
check "qmp-shell" same_shell
check "a live backup with bitmaps" transcript backup
check "a live migration of a disk" transcript migration
echo "$passed passed, $failed failed, 0 left out"
[ $failed = 0 ]
