#!/bin/sh
# Runs a Tinamou tool on JDK 25; assemble.sh fills in what stands between at signs.
# Start-up counts: unless it was reached through a link from outside dist/, this runs no program but java.
case $0 in
  */*) self=$0 ;;
  *) self=./$0 ;;
esac
home=${self%/*}/..
while [ ! -f "$home/lib/tinamou-tools.jar" ]; do
  link=$(readlink "$self") || {
    echo "${0##*/}: cannot find dist/lib beside $self" >&2
    exit 1
  }
  case $link in
    /*) self=$link ;;
    *) self=${self%/*}/$link ;;
  esac
  home=${self%/*}/..
done

jdk='@JDK@'
if [ ! -x "$jdk/bin/java" ]; then
  . "$home/libexec/find-jdk.sh"
  find_jdk || {
    echo "${0##*/}: JDK 25 not found; install it or set JAVA_HOME" >&2
    exit 1
  }
fi

# File names are UTF-8 whatever the locale says.
export LC_ALL=C.UTF-8
exec "$jdk/bin/java" -XX:+UseSerialGC -XX:-UsePerfData -Xshare:auto \
  --enable-native-access=org.tinamou.host,com.github.luben.zstd_jni --add-opens java.base/java.lang=org.tinamou.aio \
  -Dtinamou.name="${0##*/}" ${TINAMOU_AIO:+"-Dtinamou.aio=$TINAMOU_AIO"} \
  --module-path "$home/lib" -m org.tinamou.tools/@MAIN@ "$@"
