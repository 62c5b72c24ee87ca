#!/bin/sh
# Installs what the Windows package is built with (and, with `test`, tested with) on Debian. Safe to run again; quick when done.
# usage: scripts/package_windows/setup.sh [test]
set -eu
need=""
want() { command -v "$1" >/dev/null 2>&1 || need="$need $2"; }
want makensis nsis
want osslsigncode osslsigncode
want x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64-win32
want wine "wine wine64"
if [ "${1:-}" = test ]; then
    want Xvfb xvfb
    want import imagemagick
fi
[ -z "$need" ] && exit 0
line="apt-get install -y --no-install-recommends$need"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Please install / 请先安装:$need" >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    echo "Installing Debian packages / 安装系统软件包:$need"
    DEBIAN_FRONTEND=noninteractive sh -c "$line" >/dev/null 2>&1 ||
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive sh -c "$line" >/dev/null; }
else
    echo "Please run / 请先执行:  sudo $line" >&2
    exit 1
fi
