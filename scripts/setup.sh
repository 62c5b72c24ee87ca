#!/bin/sh
# Installs what demo and tests need: Debian packages, uv, the locked Python packages. Safe to run again; quick when done.
# usage: scripts/setup.sh [demo|run|test]
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-test}

need=""
want() { command -v "$1" >/dev/null 2>&1 || need="$need $2"; }
want openssl openssl
want unzip unzip
want xxd xxd
if [ "$purpose" = test ]; then
    want pdftotext poppler-utils
    want age age
    want curl curl
    want git git
    want softhsm2-util softhsm2
    want Xvfb xvfb
fi
# what Qt's platform plugins are linked with
library() { ldconfig -p 2>/dev/null | grep -q "$1" || [ -e "/usr/lib/$(uname -m)-linux-gnu/$1" ] || need="$need $2"; }
library libEGL.so.1 libegl1
library libGL.so.1 libgl1
library libfontconfig.so.1 libfontconfig1
library libdbus-1.so.3 libdbus-1-3
library libxkbcommon-x11.so.0 libxkbcommon-x11-0
library libxcb-cursor.so.0 libxcb-cursor0
library libxcb-icccm.so.4 libxcb-icccm4
library libxcb-keysyms.so.1 libxcb-keysyms1
library libxcb-shape.so.0 libxcb-shape0
library libxcb-image.so.0 libxcb-image0
library libxcb-render-util.so.0 libxcb-render-util0
library libxcb-xkb.so.1 libxcb-xkb1
library libxcb-randr.so.0 libxcb-randr0
library libgthread-2.0.so.0 libglib2.0-0
library libgssapi_krb5.so.2 libgssapi-krb5-2
# and Chromium inside QtWebEngine, for web captures
library libnss3.so libnss3
library libnspr4.so libnspr4
library libasound.so.2 libasound2
library libexpat.so.1 libexpat1
library libfreetype.so.6 libfreetype6
library libgbm.so.1 libgbm1
library libudev.so.1 libudev1
library libX11.so.6 libx11-6
library libXcomposite.so.1 libxcomposite1
library libXdamage.so.1 libxdamage1
library libXext.so.6 libxext6
library libXfixes.so.3 libxfixes3
library libXrandr.so.2 libxrandr2
library libXtst.so.6 libxtst6
library libxcb-dri3.so.0 libxcb-dri3-0
library libxkbcommon.so.0 libxkbcommon0
library libxkbfile.so.1 libxkbfile1
# Without these, tests of the portal's browser side are skipped and say so.
optional=""
if [ "$purpose" = test ]; then
    command -v node >/dev/null 2>&1 || optional="$optional nodejs"
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null 2>&1 && break
    done
    command -v "$name" >/dev/null 2>&1 || optional="$optional chromium"
fi
have_uv() { command -v uv >/dev/null 2>&1 || [ -x .cache/uv/bin/uv ]; }
have_uv || python3 -c 'import ensurepip, venv' 2>/dev/null || need="$need python3-venv"

if [ -n "$need" ]; then
    line="apt-get install -y --no-install-recommends$need"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "Please install / 请先安装:$need" >&2
    elif [ "$(id -u)" = 0 ]; then
        echo "Installing Debian packages / 安装系统软件包:$need"
        DEBIAN_FRONTEND=noninteractive sh -c "$line" >/dev/null 2>&1 ||
            { apt-get update -qq && DEBIAN_FRONTEND=noninteractive sh -c "$line" >/dev/null; }
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        echo "Installing Debian packages / 安装系统软件包:$need"
        sudo sh -c "apt-get update -qq && DEBIAN_FRONTEND=noninteractive $line" >/dev/null
    else
        echo "Please run / 请先执行:  sudo $line" >&2
        [ "$purpose" = demo ] && have_uv || exit 1
    fi
fi

if [ -n "$optional" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing for browser tests / 安装浏览器测试所需软件包:$optional"
    for package in $optional; do
        line="apt-get install -y --no-install-recommends $package"
        DEBIAN_FRONTEND=noninteractive sh -c "$line" >/dev/null 2>&1 ||
            { apt-get update -qq && DEBIAN_FRONTEND=noninteractive sh -c "$line"; } >/dev/null 2>&1 ||
            echo "  not available, its tests are skipped / 无法安装，相应测试将跳过: $package"
    done
fi

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    uv=.cache/uv/bin/uv
    if [ ! -x "$uv" ]; then
        echo "Installing uv / 安装 uv"
        python3 -m venv .cache/uv
        .cache/uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8'
    fi
fi
# Institutions with a proxy of their own put its certificate into the system's store; uv looks there only when told.
export UV_NATIVE_TLS=1 UV_SYSTEM_CERTS=1
echo "Installing the locked Python packages / 安装锁定版本的 Python 软件包"
"$uv" sync --locked --quiet
