#!/usr/bin/env bash
# smoke.sh DIST [PATTERN]: the built tools beside the installed reference, for cases whose name matches PATTERN.
#
# A case is a list of commands. It runs twice in twin directories, once with DIST/compat first on PATH
# and once with the reference; what is printed, the exit codes and the files left behind must be equal.
# Then each side reads what the other side left. KEEP=1 keeps the directories.
set -uo pipefail
ours=$(cd "$1/compat" && pwd) || exit 1
pattern=${2:-}

for peer in qemu-img qemu-io; do
  command -v "$peer" >/dev/null || {
    echo "conformance: $peer is not installed (Debian: apt-get install qemu-utils)" >&2
    exit 1
  }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/tinamou-conformance.XXXXXX")
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)) && echo "ok      $1"; }
not_ok() { failed=$((failed + 1)) && echo "FAILED  $1" && sed 's/^/        /' "$2"; }

# Runs the commands in a directory of their own; prints each with its output and exit code, times taken out.
transcript() {
  local where=$1 commands=$2 command
  mkdir -p "$where"
  while IFS= read -r command; do
    echo "\$ $command"
    (cd "$where" && eval "$command") </dev/null 2>&1
    echo "exit code $?"
  done <<<"$commands" |
    tr '\r' '\n' | sed -E 's/[0-9.:]+ sec \([^)]*\)/TIME/'
}

# twin NAME COMMANDS: both sides print the same and leave the same files.
twin() {
  local name=$1 commands=$2 file
  [[ $name == *"$pattern"* ]] || return 0
  case ${TINAMOU_AIO:-}:$name in
    nio:write-and-read | nio:map | nio:convert)
      echo "        $name is left out: it shows holes, of which loops without native calls know nothing"
      return 0
      ;;
  esac
  PATH=$ours:$PATH transcript "$work/$name/ours" "$commands" >"$work/$name.ours"
  transcript "$work/$name/reference" "$commands" >"$work/$name.reference"
  {
    diff -u --label reference --label ours "$work/$name.reference" "$work/$name.ours"
    diff -rq "$work/$name/reference" "$work/$name/ours"
    for file in "$work/$name/reference"/*; do
      [ -f "$file" ] || continue
      diff -u --label "map by the reference" --label "map by ours" \
        <(qemu-img map -f raw --output=json "$file" 2>&1) \
        <(qemu-img map -f raw --output=json "$work/$name/ours/${file##*/}" 2>&1)
    done
  } >"$work/$name.differences" 2>&1
  if [ -s "$work/$name.differences" ]; then
    not_ok "$name" "$work/$name.differences"
  else
    ok "$name"
  fi
}

# cross NAME PREPARE CHECK: what PREPARE leaves on one side, CHECK accepts on the other, both ways.
cross() {
  local name=$1 prepare=$2 check=$3 direction first second
  [[ $name == *"$pattern"* ]] || return 0
  for direction in ours-then-reference reference-then-ours; do
    first=$PATH second=$PATH
    if [ "$direction" = ours-then-reference ]; then first=$ours:$PATH; else second=$ours:$PATH; fi
    {
      PATH=$first transcript "$work/$name-$direction" "$prepare"
      PATH=$second transcript "$work/$name-$direction" "$check"
    } >"$work/$name-$direction.log"
    if grep -q -e '^exit code [^0]' -e 'verification failed' "$work/$name-$direction.log"; then
      not_ok "$name, $direction" "$work/$name-$direction.log"
    else
      ok "$name, $direction"
    fi
  done
}

twin create 'qemu-img create -f raw disk.img 64M
qemu-img create disk2.img 100M
qemu-img create -q -f raw disk3.img 12345
qemu-img create -f raw /nonexistent/disk.img 1M
qemu-img create -f raw disk4.img
qemu-img create -f raw disk5.img 1X'

twin write-and-read 'qemu-img create -q -f raw disk.img 4M
qemu-io -f raw -c "write -P 0xa5 64k 128k" disk.img
qemu-io -f raw -c "read -P 0xa5 64k 128k" -c "read -P 0 0 64k" disk.img
qemu-io -f raw -c "read -P 1 64k 4k" disk.img
qemu-io -f raw -c "read -v 64k 32" disk.img
qemu-io -f raw -c "write -z 64k 64k" -c "discard 128k 64k" -c flush -c length disk.img
qemu-io -f raw -c "truncate 8M" -c length disk.img
qemu-io -f raw -c "read 8M 512" disk.img'

twin info 'qemu-img create -q -f raw disk.img 3M
qemu-img info -f raw disk.img
qemu-img info -f raw --output=json disk.img
qemu-img info -f raw missing.img'

twin map 'qemu-img create -q -f raw disk.img 4M
qemu-io -f raw -c "write -P 1 1M 64k" -c "write -P 2 3M 4k" disk.img
qemu-img map -f raw disk.img
qemu-img map -f raw --output=json disk.img'

twin convert 'qemu-img create -q -f raw a.img 8M
qemu-io -f raw -c "write -P 1 1M 1M" -c "write -P 0 3M 1M" -c "write -P 9 5000k 3k" a.img
qemu-img convert -f raw -O raw a.img b.img
qemu-img convert -p -f raw -O raw a.img c.img
qemu-img convert -S 0 -f raw -O raw a.img d.img
qemu-img convert -n -f raw -O raw a.img missing.img
qemu-img convert -f raw -O raw missing.img e.img
qemu-img convert -f raw -O raw a.img'

twin compare 'qemu-img create -q -f raw a.img 2M
qemu-io -f raw -c "write -P 1 1M 64k" a.img
cp a.img b.img
qemu-img compare -f raw -F raw a.img b.img
qemu-io -f raw -c "write -P 2 1088k 4k" b.img
qemu-img compare -f raw -F raw a.img b.img
qemu-img create -q -f raw c.img 1M
qemu-img compare -f raw -F raw a.img c.img
qemu-img compare -s -f raw -F raw a.img c.img
qemu-img compare -f raw -F raw a.img missing.img'

twin usage 'qemu-img
qemu-img nonsense
qemu-img create
qemu-img convert --nonsense
qemu-io -f raw missing.img
qemu-io -c 2>&1 | head -n 1'

cross patterns 'qemu-img create -q -f raw disk.img 16M
qemu-io -f raw -c "write -P 0x11 0 1M" -c "write -P 0x22 4100k 12k" -c "write -z 512k 64k" disk.img' \
  'qemu-io -f raw -c "read -P 0x11 0 512k" -c "read -P 0 512k 64k" -c "read -P 0x22 4100k 12k" disk.img'

cross converted 'qemu-img create -q -f raw a.img 16M
qemu-io -f raw -c "write -P 0x33 3M 2M" a.img
qemu-img convert -f raw -O raw a.img b.img' \
  'qemu-img compare -s -f raw -F raw a.img b.img
qemu-img map -f raw b.img
qemu-img convert -f raw -O raw b.img c.img
cmp a.img c.img'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
