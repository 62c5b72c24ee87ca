#!/bin/sh
# Writes this folder's modules from the proto files of the pinned engine (run scripts/engine.sh first: it fills Go's module
# cache). Committed, so that nobody needs protoc; the runtime is pinned with them: protobuf >= the one named below, < 8.
set -eu
cd "$(dirname "$0")"
here=$PWD
version=$(cat ../../engine-version.txt)
tools=1.85.1        # grpcio-tools; its generated code asks for protobuf >= 7.35.1
modules=$(go env GOMODCACHE)
engine=$modules/github.com/cometbft/cometbft@$version/proto
gogo=$modules/github.com/cosmos/gogoproto@v1.7.0
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT

set -- gogoproto/gogo.proto
for name in abci/types crypto/keys crypto/proof types/params types/validator; do
    set -- "$@" "tendermint/$name.proto"
done
uv tool run --from "grpcio-tools==$tools" python -m grpc_tools.protoc \
    -I"$engine" -I"$gogo" --python_out="$staging" --pyi_out="$staging" "$@"

rm -rf "$here/gogoproto" "$here/tendermint"
find "$staging" -name '*.py*' -exec sed -i -E \
    -e 's/^from (tendermint|gogoproto)/from evidence_desk.court.node.abci.pb.\1/' \
    -e 's/^import (tendermint|gogoproto)/import evidence_desk.court.node.abci.pb.\1/' {} +
cp -r "$staging/gogoproto" "$staging/tendermint" "$here/"
find "$here/gogoproto" "$here/tendermint" -type d -exec touch {}/__init__.py \;
