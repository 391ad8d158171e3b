#!/usr/bin/env bash
# quickstart.sh DIST: the main job of the tools, told as it runs; leaves nothing behind.
set -euo pipefail
PATH=$(cd "$1/bin" && pwd):$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/tinamou-quickstart.XXXXXX")
# Whatever still runs ends with the script.
finish() {
  local pid
  for pid in "$work"/*.pid; do
    [ ! -s "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT
cd "$work"

# say WHAT COMMAND...: tells and runs one step.
say() {
  local word
  printf '# %s\n$' "$1"
  shift
  for word; do
    case $word in *' '*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
  done
  echo
  "$@"
}

say "Make a disk image; it takes no space yet." tinamou-img create -f raw disk.img 256M
say "Fill two parts of it." tinamou-io -f raw -c "write -P 0xa5 1M 32M" -c "write -P 0x5a 200M 8M" disk.img
say "Copy it; holes stay holes." tinamou-img convert -p -f raw -O raw disk.img copy.img
say "Compare the two." tinamou-img compare -f raw -F raw disk.img copy.img
say "See where the data is." tinamou-img map -f raw copy.img
say "Read it back and check the pattern." tinamou-io -f raw -r -c "read -P 0xa5 1M 32M" -c "read -P 0x5a 200M 8M" copy.img
say "Show it to others over the network block device protocol." \
  tinamou-nbd --fork -t --pid-file "$work/server.pid" -f raw -r -k "$work/disk.sock" copy.img
say "Read it through a client." tinamou-io -f raw -r -c "read -P 0xa5 1M 32M" "nbd+unix:///?socket=$work/disk.sock"
say "See where the data is, as the server tells it." tinamou-img map -f raw "nbd+unix:///?socket=$work/disk.sock"

# qmp COMMAND [ARGUMENTS]: tells the daemon to do something and waits for its answer.
qmp() {
  local line
  [ -n "${quiet:-}" ] || printf '  %s %s\n' "$1" "${2:-}"
  printf '{"execute": "%s", "arguments": %s}\n' "$1" "${2:-{\}}" >&"${daemon[1]}"
  while read -r line <&"${daemon[0]}"; do
    case $line in
      '{"return"'*) return ;;
      '{"error"'*) echo "quickstart: $line" >&2 && exit 1 ;;
      *) events+=$line ;;
    esac
  done
  echo "quickstart: the daemon has ended" >&2
  exit 1
}

# event NAME: waits until the daemon has told of it.
event() {
  local line
  until [[ $events == *"\"$1\""* ]]; do
    read -r line <&"${daemon[0]}"
    events+=$line
  done
  printf '  (%s)\n' "$1"
}

echo "# Now a disk that is mirrored to another server, and moved to another thread, while it is written to."
tinamou-img create -q -f qcow2 live.qcow2 64M
tinamou-img create -q -f raw target.img 64M
tinamou-nbd --fork -t --pid-file "$work/target.pid" -f raw -k "$work/target.sock" target.img
events=
coproc daemon { exec tinamou-storage-daemon --chardev stdio,id=qmp --monitor qmp --pidfile "$work/daemon.pid" \
  --object iothread,id=thread1 --object iothread,id=thread2 \
  --blockdev driver=qcow2,node-name=disk,file.driver=file,file.filename=live.qcow2 \
  --blockdev driver=nbd,node-name=target,server.type=unix,server.path="$work/target.sock" \
  --nbd-server addr.type=unix,addr.path="$work/live.sock" \
  --export type=nbd,id=export,node-name=disk,name=disk,writable=on,iothread=thread1; }
read -r _ <&"${daemon[0]}"
quiet=1 qmp qmp_capabilities
writes=()
for ((at = 0; at < 64; at++)); do
  writes+=(-c "write -q -P $((at + 1)) ${at}M 1M")
done
tinamou-io -f raw "${writes[@]}" -c flush "nbd+unix:///disk?socket=$work/live.sock" &
writer=$!
echo "  (a client writes 64 MiB)"
qmp blockdev-mirror '{"job-id": "mirror", "device": "disk", "target": "target", "sync": "full", "copy-mode": "write-blocking"}'
qmp x-blockdev-set-iothread '{"node-name": "disk", "iothread": "thread2"}'
event BLOCK_JOB_READY
wait "$writer"
echo "  (the client has written all)"
qmp job-complete '{"id": "mirror"}'
event BLOCK_JOB_COMPLETED
quiet=1 qmp quit
wait "$daemon_PID" || true
say "Compare the disk with its mirror." tinamou-img compare -f qcow2 -F raw live.qcow2 "nbd+unix:///?socket=$work/target.sock"
cat <<'NEXT'

What next:
  ./tinamou img --help       all that tinamou-img does; it takes what qemu-img takes
  ./tinamou build            leaves the tools in dist/bin, and under QEMU's names in dist/compat
  ./tinamou sim --seeds 100  the same loops under random schedules and a disk that fails
NEXT
