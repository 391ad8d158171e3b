#!/usr/bin/env bash
# cloud.sh DIST: an image like those of a distribution's cloud edition (partition table, file system,
# compressed base, a chain of three), made by the reference alone, goes through every command of img
# by both tools. What they print must be the same apart from sizes on the host, offsets of what a
# tool allocates itself, and times; what they make must show the same and be sound. KEEP=1 keeps it all.
set -uo pipefail
ours=$(cd "$1/compat" && pwd) || exit 1
for peer in qemu-img qemu-io mke2fs; do
  PATH=$PATH:/usr/sbin:/sbin command -v "$peer" >/dev/null || {
    echo "LEFT OUT: the run over a cloud image, because $peer is not installed (Debian: qemu-utils, e2fsprogs)"
    echo "0 passed, 0 failed, 1 left out"
    exit "${TINAMOU_PEERS_REQUIRED:-0}"
  }
done
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d "${TMPDIR:-/tmp}/tinamou-cloud.XXXXXX")
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# One Linux partition from 1 MiB on, and a file system with what this machine has at hand.
make_image() {
  local files=$work/files sectors=$((200 * 2048)) byte
  mkdir -p "$files/usr/share" "$files/var/log"
  cp -r /etc/services /etc/protocols /usr/share/common-licenses "$files/usr/share/" 2>/dev/null
  cp -r /usr/share/perl5 /usr/share/zoneinfo "$files/usr/share/" 2>/dev/null
  head -c 3000000 /dev/urandom >"$files/var/log/random"
  truncate -s 1M "$work/disk.raw"
  mke2fs -q -t ext4 -L cloudimg-rootfs -E offset=1048576 -d "$files" "$work/disk.raw" 200M >"$work/mke2fs.log" 2>&1 || return 1
  truncate -s 202M "$work/disk.raw"
  {
    printf '\200\0\0\0\203\0\0\0\0\010\0\0'
    for byte in 0 8 16 24; do printf "\\$(printf %03o $((sectors >> byte & 255)))"; done
  } | dd of="$work/disk.raw" bs=1 seek=446 conv=notrunc status=none
  printf '\125\252' | dd of="$work/disk.raw" bs=1 seek=510 conv=notrunc status=none
  mkdir "$work/image"
  (
    cd "$work/image" || exit 1
    qemu-img convert -c -O qcow2 "$work/disk.raw" base.qcow2 &&
      qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 middle.qcow2 &&
      qemu-io -c 'write -P 1 5M 3M' -c 'write -P 2 70001k 65k' -c 'write -z 20M 2M' middle.qcow2 &&
      qemu-img create -q -f qcow2 -o cluster_size=16k,compression_type=zstd -b middle.qcow2 -F qcow2 top.qcow2 300M &&
      qemu-io -d unmap -c 'write -P 3 6M 40k' -c 'write -P 4 250M 1M' -c 'discard 100M 4M' -c 'write -c -P 5 120M 16k' top.qcow2
  ) >"$work/making.log" 2>&1
}

# volatile: lines without what need not be the same.
volatile() {
  tr '\r' '\n' | sed -E -e 's/^disk size: .*/disk size: ANY/' -e 's/"actual-size": [0-9]+/"actual-size": ANY/' \
    -e 's/[0-9.]+ seconds\./TIME/' -e 's/[0-9.:]+ sec \([^)]*\)/TIME/'
}

# same NAME COMMAND: both tools print the same.
same() {
  local name=$1 command=$2 side
  for side in ours reference; do
    (
      cd "$work/$side" || exit 1
      if [ "$side" = ours ]; then PATH=$ours:$PATH; fi
      eval "$command" 2>"$work/errors"
      echo "exit code $?"
      cat "$work/errors"
    ) </dev/null | volatile >"$work/$side.out"
  done
  if diff -u --label reference --label ours "$work/reference.out" "$work/ours.out" >"$work/differences"; then
    passed=$((passed + 1)) && echo "ok      $name"
  else
    failed=$((failed + 1)) && echo "FAILED  $name ($command)" && sed 's/^/        /' "$work/differences" | head -n 40
  fi
}

# made NAME COMMAND FILE: the same, and the image each of them made is sound and shows the same.
made() {
  local name=$1 command=$2 file=$3
  same "$name" "$command"
  if qemu-img compare "$work/ours/$file" "$work/reference/$file" >"$work/differences" 2>&1 &&
    case $file in *.qcow2) qemu-img check -q "$work/ours/$file" >>"$work/differences" 2>&1 ;; esac; then
    passed=$((passed + 1)) && echo "ok      $name, read back"
  else
    failed=$((failed + 1)) && echo "FAILED  $name, read back" && sed 's/^/        /' "$work/differences" | head -n 20
  fi
}

make_image || {
  echo "conformance: the image could not be made:" >&2
  cat "$work"/*.log >&2
  exit 1
}
for side in ours reference; do cp -r --sparse=always "$work/image" "$work/$side"; done

for image in base middle top; do
  same "info of $image" "qemu-img info $image.qcow2"
  same "info of $image, JSON" "qemu-img info --output=json $image.qcow2"
  same "check of $image" "qemu-img check $image.qcow2"
  same "check of $image, JSON" "qemu-img check --output=json $image.qcow2"
  same "map of $image, JSON" "qemu-img map --output=json $image.qcow2"
  same "measure of $image" "qemu-img measure -O qcow2 $image.qcow2; qemu-img measure -O raw --output=json $image.qcow2"
done
same "info of the chain" "qemu-img info --backing-chain top.qcow2"
same "info of the chain, JSON" "qemu-img info --backing-chain --output=json top.qcow2"
same "map of compressed clusters" "qemu-img map base.qcow2"
same "compare with itself" "qemu-img compare top.qcow2 top.qcow2"
same "compare with what is below" "qemu-img compare middle.qcow2 top.qcow2; qemu-img compare -s base.qcow2 middle.qcow2; qemu-img compare -f qcow2 -F raw base.qcow2 ../disk.raw"
same "measure with options" "qemu-img measure -O qcow2 -o cluster_size=4k,preallocation=full top.qcow2; qemu-img measure -O qcow2 --size 3T"
same "snapshot list" "qemu-img snapshot -l base.qcow2"
same "bench" "qemu-img bench -c 100 -d 4 -s 4k -t writeback top.qcow2 | head -n 2"
made "convert to raw" "qemu-img convert -p -O raw top.qcow2 c1.raw" c1.raw
same "map of a raw copy" "qemu-img map --output=json c1.raw"
made "convert to qcow2" "qemu-img convert -p -O qcow2 top.qcow2 c2.qcow2" c2.qcow2
same "map of a copy" "qemu-img map --output=json c2.qcow2; qemu-img map c2.qcow2; qemu-img info c2.qcow2"
made "convert, compressed" "qemu-img convert -c -O qcow2 top.qcow2 c3.qcow2" c3.qcow2
# Where a cluster lands behind compressed ones depends on how well those were compressed.
same "map of a compressed copy" "qemu-img map --output=json c3.qcow2 | sed 's/, \"offset\": [0-9]*//'; qemu-img info c3.qcow2"
made "convert, compressed by zstd" "qemu-img convert -c -o compression_type=zstd,cluster_size=32k -O qcow2 top.qcow2 c4.qcow2" c4.qcow2
made "convert onto a backing file" "qemu-img convert -O qcow2 -B middle.qcow2 -F qcow2 top.qcow2 c5.qcow2" c5.qcow2
same "map of a copy onto a backing file" "qemu-img map --output=json c5.qcow2; qemu-img info c5.qcow2"
made "convert, old format" "qemu-img convert -O qcow2 -o compat=0.10,cluster_size=512k top.qcow2 c6.qcow2" c6.qcow2
made "convert into what is there" "qemu-img convert -n -O qcow2 middle.qcow2 c2.qcow2" c2.qcow2
made "convert, out of order" "qemu-img convert -W -m 16 -O qcow2 base.qcow2 c7.qcow2" c7.qcow2
made "create an overlay" "qemu-img create -f qcow2 -b top.qcow2 -F qcow2 o.qcow2" o.qcow2
same "io on an overlay" "qemu-io -c 'write -P 7 1M 100k' -c 'read -P 7 1M 100k' -c 'read -v 1048064 1024' o.qcow2"
made "resize" "qemu-img resize o.qcow2 +100M; qemu-img resize --shrink o.qcow2 150M; qemu-img info o.qcow2" o.qcow2
made "dd" "qemu-img dd -O qcow2 if=top.qcow2 of=d.qcow2 bs=1M count=10 skip=4" d.qcow2
same "amend, rebase and commit of what is not there" "qemu-img amend -o compat=1.1 none; qemu-img rebase -b x none; qemu-img commit none"
same "nothing was changed below" "sha256sum base.qcow2 middle.qcow2"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
