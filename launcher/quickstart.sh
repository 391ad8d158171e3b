#!/usr/bin/env bash
# quickstart.sh DIST: the main job of the tools, told as it runs; leaves nothing behind.
set -euo pipefail
PATH=$(cd "$1/bin" && pwd):$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/tinamou-quickstart.XXXXXX")
trap '[ ! -s "$work/pid" ] || kill "$(cat "$work/pid")"; rm -rf "$work"' EXIT
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
  tinamou-nbd --fork -t --pid-file "$work/pid" -f raw -r -k "$work/disk.sock" copy.img
say "Read it through a client." tinamou-io -f raw -r -c "read -P 0xa5 1M 32M" "nbd+unix:///?socket=$work/disk.sock"
say "See where the data is, as the server tells it." tinamou-img map -f raw "nbd+unix:///?socket=$work/disk.sock"
cat <<'NEXT'

What next:
  ./tinamou img --help       all that tinamou-img does; it takes what qemu-img takes
  ./tinamou build            leaves the tools in dist/bin, and under QEMU's names in dist/compat
  ./tinamou sim --seeds 100  the same loops under random schedules and a disk that fails
NEXT
