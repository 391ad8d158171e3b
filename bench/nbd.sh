#!/usr/bin/env bash
# What serving and using NBD costs, beside qemu-nbd and nbdkit: requests a second and processor time of the server a
# request (fio's nbd engine, 4 KiB, random, depth 1 and 32), nbdcopy of 1 GiB, and converting from a server.
# bench/nbd.sh DIST [SECONDS [ROUNDS [WHAT...]]], where WHAT is of: random copy client
set -euo pipefail

dist=$(cd "$1" && pwd)
seconds=${2:-10}
rounds=${3:-3}
shift $(($# < 3 ? $# : 3))
what=${*:-random copy client}
stage=$(mktemp -d "${TMPDIR:-/tmp}/tinamou-nbd.XXXXXX")
pid=
stop() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || :
  [ -z "$pid" ] || wait "$pid" 2>/dev/null || :
  pid=
}
trap 'stop; rm -rf "$stage"' EXIT

image=$stage/image.raw
dd if=/dev/urandom of="$image" bs=1M count=1024 status=none
socket=$stage/socket
uri="nbd+unix:///?socket=$socket"

# start SERVER: it serves the image until stop.
start() {
  rm -f "$socket"
  case $1 in
    tinamou) "$dist/compat/qemu-nbd" -t -e 16 -f raw -k "$socket" "$image" & ;;
    qemu-nbd) qemu-nbd -t -e 16 -f raw --aio=io_uring -k "$socket" "$image" & ;;
    nbdkit) nbdkit -f -U "$socket" file "$image" & ;;
  esac
  pid=$!
  until nbdinfo --size "$uri" >/dev/null 2>&1; do kill -0 "$pid"; done
}

# Hundredths of a second that the server has used.
used() { awk '{print $14 + $15}' "/proc/$pid/stat"; }

# run RW DEPTH SECONDS: prints how many requests were made.
run() {
  fio --name=x --ioengine=nbd --uri="$uri" --rw="$1" --bs=4k --iodepth="$2" --size=1g --time_based --runtime="$3" \
    --output-format=terse --norandommap --randrepeat=0 2>/dev/null |
    awk -F';' -v rw="$1" '/^3;/ {print rw == "randread" ? $6 / 4 : $47 / 4}'
}

random() {
  printf '%-10s %-10s %5s %12s %10s\n' server requests depth 'requests/s' 'us of it'
  for server in tinamou nbdkit qemu-nbd; do
    start "$server"
    run randread 32 3 >/dev/null
    run randwrite 32 2 >/dev/null
    run randread 1 3 >/dev/null
    for rw in randread randwrite; do
      for depth in 1 32; do
        local before made
        before=$(used)
        made=$(run "$rw" "$depth" "$seconds")
        awk -v s="$server" -v rw="$rw" -v d="$depth" -v n="$made" -v t="$seconds" -v u=$(($(used) - before)) \
          'BEGIN {printf "%-10s %-10s %5d %12.0f %10.2f\n", s, rw, d, n / t, u * 10000 / n}'
      done
    done
    stop
  done
}

# timed COMMAND...: seconds that it takes.
timed() {
  local start=$EPOCHREALTIME
  "$@" >/dev/null
  awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.2f", b - a}'
}

copy() {
  for server in tinamou nbdkit qemu-nbd; do
    start "$server"
    nbdcopy "$uri" "$stage/copy"
    for ((i = 0; i < rounds; i++)); do
      rm -f "$stage/copy"
      echo "nbdcopy of 1 GiB from $server: $(timed nbdcopy "$uri" "$stage/copy") s"
    done
    stop
  done
}

client() {
  local options="driver=nbd,server.type=unix,server.path=$socket"
  start nbdkit
  for ((i = 0; i <= rounds; i++)); do
    rm -f "$stage/copy"
    echo "convert 1 GiB, qemu-img: $(timed qemu-img convert --image-opts -O raw "driver=raw,file.driver=nbd,file.server.type=unix,file.server.path=$socket" "$stage/copy") s"
    for connections in 1 4; do
      rm -f "$stage/copy"
      echo "convert 1 GiB, tinamou with $connections connections: $(timed "$dist/compat/qemu-img" convert --image-opts -O raw \
        "driver=raw,file.driver=nbd,file.server.type=unix,file.server.path=$socket,file.connections=$connections" "$stage/copy") s"
    done
  done
  cmp "$image" "$stage/copy"
  stop
}

for each in $what; do "$each"; done
