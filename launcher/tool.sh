#!/bin/sh
# Runs a Tinamou tool on the runtime in dist/; assemble.sh fills in what stands between at signs.
# Start-up counts: unless it was reached through a link from outside dist/, nothing runs before java.
case $0 in
  */*) self=$0 ;;
  *) self=./$0 ;;
esac
home=${self%/*}/..
while [ ! -x "$home/runtime/bin/java" ]; do
  link=$(readlink "$self") || {
    echo "${0##*/}: cannot find dist/runtime beside $self" >&2
    exit 1
  }
  case $link in
    /*) self=$link ;;
    *) self=${self%/*}/$link ;;
  esac
  home=${self%/*}/..
done

# take_notes FILE...: has written down, while the virtual machine starts, what Java does not tell of the files and the
# table of locks, for which the kernel waits. They go through a pipe, which is what an empty here-document is read from
# by most shells. Where it is not, or where descriptors have been named by the user, there are no notes.
notes=
take_notes() {
  case $* in */fd/*) return ;; esac
  exec 8<<'NOTES'
NOTES
  [ -p /proc/self/fd/8 ] && [ -w /proc/self/fd/8 ] || return
  notes=-Dtinamou.notes=/proc/self/fd/8
  exec 9>>/proc/self/fd/8
  {
    LC_ALL=C stat -L -c %d:%i:%b -- "$@"
    echo
    cat /proc/locks && echo .
  } >&9 2>/dev/null 8<&- &
  exec 9>&-
}

# A look at an image is over before any compiler has paid off, and the better one pays off only for long work. What
# space a file takes Java does not tell, except through native calls, whose preparation takes longer than all the
# rest: of images that are not on the command line, and for options that say how to open one, it has to make them.
case @TOOL@-${1-} in
  img-info)
    take_notes "$@"
    case $* in
      *--back* | *--image* | *json:*) cache=img compiler=-XX:TieredStopAtLevel=1 ;;
      *) cache=info compiler=-Xint ;;
    esac
    ;;
  img-convert)
    # What takes time in copying is the kernel, and in packing native code; encryption alone is Java's.
    cache=img compiler=-XX:TieredStopAtLevel=1
    case "$*" in *encrypt* | *luks* | *secret*) compiler= ;; esac
    ;;
  storage-daemon-* | system-*)
    # What a daemon is busy with goes through the same code a million times a minute, and soon deserves the better
    # compiler. A job of some gigabytes does not: compiling all that it uses would cost more than the job.
    cache=@TOOL@
    compiler="-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000
      -XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
    ;;
  *) cache=@TOOL@ compiler= ;;
esac

# File names are UTF-8 whatever the locale says.
export LC_ALL=C.UTF-8
exec "$home/runtime/bin/java" @FLAGS@ $compiler -XX:AOTCache="$home/runtime/lib/tinamou-$cache.aot" \
  -Dtinamou.name="${0##*/}" $notes ${TINAMOU_AIO:+"-Dtinamou.aio=$TINAMOU_AIO"} -m org.tinamou.tools/@MAIN@ "$@"
