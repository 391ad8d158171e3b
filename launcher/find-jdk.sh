# Sourced by ./tinamou; POSIX sh, no programs run until `java` on PATH.
# find_jdk: sets jdk to the home of a JDK 25, or fails.

is_jdk25() {
  [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
  while IFS= read -r release_line; do
    case $release_line in
      'JAVA_VERSION="25"' | 'JAVA_VERSION="25.'* | 'JAVA_VERSION="25-'*) return 0 ;;
    esac
  done <"$1/release"
  return 1
}

find_jdk() {
  for jdk in "${JAVA_HOME:-}" /usr/lib/jvm/* "${HOME:-}"/.sdkman/candidates/java/* \
    "${HOME:-}"/.jdks/* /opt/* /opt/java/* /usr/local/*; do
    is_jdk25 "$jdk" && return 0
  done
  jdk=$(command -v java) && jdk=$(readlink -f "$jdk") && jdk=${jdk%/bin/java} && is_jdk25 "$jdk"
}
