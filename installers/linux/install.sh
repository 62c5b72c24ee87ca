#!/bin/sh
# Registers the unpacked programs for this user, or takes that back. Nothing outside of the user's own folders is touched.
# usage: sh install.sh [--remove]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
programs=$HOME/.local/bin
refresh() {
    command -v update-desktop-database >/dev/null 2>&1 && update-desktop-database -q "$data/applications" || true
    command -v update-mime-database >/dev/null 2>&1 && update-mime-database "$data/mime" >/dev/null 2>&1 || true
}
if [ "${1:-}" = --remove ]; then
    for name in evidence-desk-gui evidence-desk evidence-verify evidence-tsa; do
        [ "$(readlink "$programs/$name" 2>/dev/null)" = "$here/$name" ] && rm -f "$programs/$name"
    done
    rm -f "$data/applications/evidence-desk.desktop" "$data/applications/evidence-desk-seal.desktop" \
        "$data/icons/hicolor/scalable/apps/evidence-desk.svg" "$data/mime/packages/evidence-desk.xml"
    refresh
    exit 0
fi
case $here in
*[\"\`\$\\]*)
    echo "Please unpack into a folder without \" \` \$ \\ in its name / 请解压到名称中没有这些字符的文件夹" >&2
    exit 1
    ;;
esac
mkdir -p "$programs" "$data/applications" "$data/icons/hicolor/scalable/apps" "$data/mime/packages"
for name in evidence-desk-gui evidence-desk evidence-verify evidence-tsa; do
    ln -sfn "$here/$name" "$programs/$name"
done
# the folder's name may hold what means something to sed, or to a desktop entry
quoted=$(printf '"%s/evidence-desk-gui"' "$here" | sed -e 's/[&|]/\\&/g' -e 's/%/%%/g')
for entry in evidence-desk evidence-desk-seal; do
    sed -e "s|^Exec=evidence-desk-gui|Exec=$quoted|" -e '/^TryExec=/d' "$here/share/applications/$entry.desktop" \
        >"$data/applications/$entry.desktop"
done
cp "$here/share/icons/hicolor/scalable/apps/evidence-desk.svg" "$data/icons/hicolor/scalable/apps/"
cp "$here/share/mime/packages/evidence-desk.xml" "$data/mime/packages/"
refresh
