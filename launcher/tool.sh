#!/bin/sh
# Runs a Tinamou tool on the runtime in dist/; assemble.sh fills in what stands between at signs.
# Start-up counts: unless it was reached through a link from outside dist/, this runs no program but java.
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

# A look at an image is over before any compiler has paid off, and the better one pays off only for long work. What
# space a file takes Java does not tell, except through native calls, whose preparation takes longer than all the
# rest: of images that are not on the command line, and for options that say how to open one, it has to make them.
case @TOOL@-${1-} in
  img-info)
    stat=$(LC_ALL=C stat -L -c %d:%i:%b -- "$@" 2>/dev/null)
    case $* in
      *--back* | *--image* | *json:*) cache=img compiler=-XX:TieredStopAtLevel=1 ;;
      *) cache=info compiler=-Xint ;;
    esac
    ;;
  img-convert)
    # What takes time in copying is the kernel, and in packing native code; encryption alone is Java's.
    cache=img compiler=-XX:TieredStopAtLevel=1 stat=
    case "$*" in *encrypt* | *luks* | *secret*) compiler= ;; esac
    ;;
  *) cache=@TOOL@ compiler= stat= ;;
esac

# File names are UTF-8 whatever the locale says.
export LC_ALL=C.UTF-8
exec "$home/runtime/bin/java" @FLAGS@ $compiler -XX:AOTCache="$home/runtime/lib/tinamou-$cache.aot" \
  -Dtinamou.name="${0##*/}" ${stat:+"-Dtinamou.stat=$stat"} ${TINAMOU_AIO:+"-Dtinamou.aio=$TINAMOU_AIO"} -m org.tinamou.tools/@MAIN@ "$@"
