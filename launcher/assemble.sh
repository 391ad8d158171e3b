#!/bin/sh
# assemble.sh LIB DIST JDK: makes DIST of the jars in LIB: the libraries, a Java runtime that has them built in,
# and launchers. What the jars, the JDK and these scripts leave unchanged is kept.
set -eu
mkdir -p "$2"
scripts=$(cd "$(dirname "$0")" && pwd) lib=$(cd "$1" && pwd) dist=$(cd "$2" && pwd) jdk=$3
runtime=$dist/runtime

# The cache of loaded classes is valid only under the options it was made with; also not for heaps that need long
# pointers, which a quarter of a large machine's memory would be. What the virtual machine has to say is no output.
flags='-XX:+UseSerialGC -XX:-UsePerfData -XX:MaxRAM=64g -Xlog:all=off:stdout
  --enable-native-access=org.tinamou.host,com.github.luben.zstd_jni --add-opens=java.base/java.lang=org.tinamou.aio'
flags=$(echo $flags)

make_runtime() {
  [ -x "$jdk/bin/jlink" ] || {
    echo "assemble: there is no jlink in $jdk; a whole JDK 25 is needed" >&2
    exit 1
  }
  # Of the foreign libraries in zstd-jni this system needs one. Bouncy Castle's jars are signed; a runtime keeps no
  # signatures.
  "$jdk/bin/jlink" --module-path "$lib" --add-modules org.tinamou.tools --output "$runtime.new" \
    --no-header-files --no-man-pages --ignore-signing-information \
    --exclude-resources="regex:/com[.]github[.]luben[.]zstd_jni/(aix|darwin|freebsd|win)/.*"
  # What `java` has everywhere, for use without the caches below.
  "$runtime.new/bin/java" -Xshare:dump -Xlog:disable -Xlog:all=error:stderr >/dev/null
}

# commands OPTION... -m MAIN COMMANDS: runs commands of the tools in one process.
commands() {
  "$runtime.new/bin/java" $flags "$@"
}
main=org.tinamou.tools/org.tinamou.tools.rehearsal.RehearsalMain

# rehearse CACHE OPTION... -m MAIN COMMANDS: runs the commands and keeps what was learned for the next start.
rehearse() {
  cache=$runtime.new/lib/tinamou-$1.aot
  shift
  # The virtual machine that writes the cache speaks of its options.
  commands -XX:AOTCacheOutput="$cache" "$@" >"$cache.log" 2>&1 || {
    cat "$cache.log" >&2
    exit 1
  }
  [ -s "$cache" ] || {
    cat "$cache.log" >&2
    echo "assemble: no cache was made" >&2
    exit 1
  }
  rm "$cache.log"
}

rehearse_all() {
  stage=$(mktemp -d "${TMPDIR:-/tmp}/tinamou-rehearsal.XXXXXX")
  trap 'rm -rf "$stage"' EXIT
  mkdir "$stage/img" "$stage/info" "$stage/io" "$stage/nbd" "$stage/daemon" "$stage/system"
  truncate -s 1M "$stage/info/a.raw" "$stage/io/a.raw" "$stage/nbd/a.raw"
  (
    cd "$stage/info"
    commands -m "$main" img create -q -f qcow2 a.qcow2 1M then \
      img create -q -f qcow2 -b a.qcow2 -F qcow2 b.qcow2 >/dev/null
    {
      stat -c %d:%i:%b a.raw b.qcow2
      echo
      cat /proc/locks && echo .
    } >notes
    rehearse info -Xint -Dtinamou.notes=notes -m "$main" \
      img info a.raw then img info b.qcow2 then img info --output=json b.qcow2
  ) &
  info=$!
  (
    cd "$stage/io"
    rehearse io -m "$main" img create -q -f qcow2 a.qcow2 16M then \
      io -f raw -c "write -P 1 0 1M" -c "read -P 1 0 64k" -c flush a.raw then \
      io -c "write -P 1 0 1M" -c "aio_read -P 1 0 64k" -c "write -z 0 64k" -c "discard 1M 64k" a.qcow2
  ) &
  io=$!
  (
    cd "$stage/img"
    rehearse img -m "$main" img create -q -f raw a.raw 16M then io -f raw -c "write -q -P 1 1M 8M" a.raw then \
      img convert -f raw -O raw a.raw b.raw then img compare -f raw -F raw a.raw b.raw then \
      img convert -O qcow2 a.raw c.qcow2 then img convert -c -O qcow2 a.raw d.qcow2 then \
      img convert -O raw d.qcow2 b.raw then img create -q -f qcow2 -b c.qcow2 -F qcow2 e.qcow2 then \
      img compare c.qcow2 e.qcow2 then img map e.qcow2 then img map --output=json e.qcow2 then \
      img measure -O qcow2 a.raw then img info --backing-chain e.qcow2 then \
      img info --image-opts driver=qcow2,file.filename=c.qcow2 then img resize -q e.qcow2 32M
  )
  (
    # A machine that is asked a few things and told to end.
    cd "$stage/system"
    commands -m "$main" img create -q -f qcow2 a.qcow2 1M
    for command in qmp_capabilities query-block query-named-block-nodes query-status query-commands quit; do
      echo "{'execute': '$command'}"
    done | rehearse system -m "$main" system -display none -qmp stdio \
      -drive if=none,id=a,file=a.qcow2,format=qcow2 -blockdev null-co,node-name=b
  )
  wait "$info"
  wait "$io"
  (
    # A daemon, which mirrors, backs up and streams before its monitor tells it to quit.
    cd "$stage/daemon"
    commands -m "$main" img create -q -f qcow2 a.qcow2 32M then img create -q -f raw d.raw 32M then \
      img create -q -f qcow2 -b a.qcow2 -F qcow2 b.qcow2 then img create -q -f qcow2 c.qcow2 32M then \
      io -c "write -q -P 1 0 24M" a.qcow2 then io -c "write -q -P 2 16M 8M" b.qcow2
    # await EVENT: until the daemon has told of it, or half a minute.
    await() {
      tries=0
      until grep -q "$1" "$runtime.new/lib/tinamou-storage-daemon.aot.log" || [ $tries -ge 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
      done
    }
    {
      cat <<'QMP'
{"execute": "qmp_capabilities"}
{"execute": "query-named-block-nodes"}
{"execute": "blockdev-mirror", "arguments": {"job-id": "j", "device": "n", "target": "c", "sync": "full"}}
QMP
      await BLOCK_JOB_READY
      echo '{"execute": "block-job-cancel", "arguments": {"device": "j"}}'
      await '"status": "null", "id": "j"'
      echo '{"execute": "blockdev-backup", "arguments": {"job-id": "k", "device": "n", "target": "d", "sync": "full"}}'
      await '"status": "null", "id": "k"'
      echo '{"execute": "block-stream", "arguments": {"job-id": "l", "device": "n"}}'
      await '"status": "null", "id": "l"'
      cat <<'QMP'
{"execute": "block-export-del", "arguments": {"id": "e"}}
{"execute": "blockdev-del", "arguments": {"node-name": "n"}}
{"execute": "quit"}
QMP
    } | rehearse storage-daemon -m "$main" storage-daemon --chardev stdio,id=m --monitor m --object iothread,id=t \
      --blockdev qcow2,node-name=n,file.driver=file,file.filename=b.qcow2 \
      --blockdev qcow2,node-name=c,file.driver=file,file.filename=c.qcow2 \
      --blockdev raw,node-name=d,file.driver=file,file.filename=d.raw \
      --nbd-server addr.type=unix,addr.path="$stage/daemon/socket" --export nbd,id=e,node-name=n,writable=on
  )
  (
    # A server, which ends when its client has gone.
    cd "$stage/nbd"
    rehearse nbd -m "$main" nbd -f raw -k "$stage/nbd/socket" a.raw &
    server=$!
    tries=0
    while [ ! -S socket ] && [ $tries -lt 300 ]; do
      sleep 0.1
      tries=$((tries + 1))
    done
    commands -m "$main" io -f raw -c "write -P 1 0 1M" -c "read -P 1 0 64k" -c "write -z 0 4k" -c flush \
      "nbd+unix:///?socket=$stage/nbd/socket" >/dev/null
    wait "$server"
  )
}

stamp=$(
  { cat "$jdk/release" "$scripts/assemble.sh" && cat "$lib"/*.jar; } | cksum
)
if [ "$(cat "$runtime/inputs" 2>/dev/null)" != "$stamp" ]; then
  rm -rf "$runtime.new"
  make_runtime
  (rehearse_all)
  printf '%s\n' "$stamp" >"$runtime.new/inputs"
  rm -rf "$runtime"
  mv "$runtime.new" "$runtime"
fi

rm -rf "$dist/lib" "$dist/libexec" "$dist/bin" "$dist/compat"
mkdir -p "$dist/bin" "$dist/compat"
mv "$lib" "$dist/lib"

# tool TOOL MAIN REFERENCE-NAME
tool() {
  sed "s|@TOOL@|$1|g; s|@MAIN@|$2|; s|@FLAGS@|$flags|" "$scripts/tool.sh" >"$dist/bin/tinamou-$1"
  chmod +x "$dist/bin/tinamou-$1"
  ln -s "../bin/tinamou-$1" "$dist/compat/$3"
}
tool img org.tinamou.tools.img.ImgMain qemu-img
tool io org.tinamou.tools.io.IoMain qemu-io
tool nbd org.tinamou.tools.nbd.NbdMain qemu-nbd
tool storage-daemon org.tinamou.tools.daemon.DaemonMain qemu-storage-daemon
tool system org.tinamou.tools.system.SystemMain qemu-system-x86_64
