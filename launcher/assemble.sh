#!/bin/sh
# assemble.sh LIB DIST JDK: makes DIST of the jars in LIB and the launchers beside this script.
set -eu
scripts=$(dirname "$0") lib=$1 dist=$2 jdk=$3
rm -rf "$dist/lib" "$dist/libexec" "$dist/bin" "$dist/compat"
mkdir -p "$dist/libexec" "$dist/bin" "$dist/compat"
mv "$lib" "$dist/lib"
cp "$scripts/find-jdk.sh" "$dist/libexec/"

# tool NAME MAIN REFERENCE-NAME
tool() {
  jdk_in_sed=$(printf '%s' "$jdk" | sed "s/'/'\\\\\\\\''/g; s/[&|]/\\\\&/g")
  sed "s|@MAIN@|$2|; s|'@JDK@'|'$jdk_in_sed'|" "$scripts/tool.sh" >"$dist/bin/$1"
  chmod +x "$dist/bin/$1"
  ln -s "../bin/$1" "$dist/compat/$3"
}
tool tinamou-img org.tinamou.tools.img.ImgMain qemu-img
tool tinamou-io org.tinamou.tools.io.IoMain qemu-io
