"""``timestamp.path.txt``: a reduced tree that a clerk can follow with sort, xxd and sha256sum."""

from __future__ import annotations

from typing import Final

from evidence_desk.core.time_record.tree import ReducedTree

_NAME: Final = "timestamp.path.txt"
_HEAD: Final = """\
# timestamp.path.txt：从文件到时间戳的哈希路径（SHA-256，十六进制，依 RFC 4998）
# 以“#”开头的行是说明；其余每行是一组哈希值，以空格分隔。
# 第一行：本证据的存证说明与各文件的哈希值（可用 sha256sum 逐一核对）。
# 以后各行：上一层中与之并列的哈希值。
# 算法：第一行只有一个值时，该值即为节点；有多个值时，按升序排序、按字节拼接、计算 SHA-256，得到节点。
# 其后每行：把上一步的节点与该行的值一起排序、拼接、计算 SHA-256，得到新的节点。最后的节点即为根。
# 根是时间戳所覆盖的哈希值；最后一次拼接的字节即 timestamp.preimage。
#
# Hash path from the files to the timestamp (SHA-256, hexadecimal, RFC 4998).
# Lines that begin with "#" explain; each other line is one list of hashes, separated by blanks.
# First line: hashes of this exhibit's statement and files (compare with sha256sum). Later lines: siblings above.
# Sort the list, together with the node found so far, join the bytes, hash. A first line of one value is the node.
#
# 在本目录执行 / run in this folder:
#   node=; grep -v '^#' timestamp.path.txt | while read -r list; do
#     set -- $node $list
#     if [ $# -gt 1 ]; then node=$(printf '%s\\n' "$@" | LC_ALL=C sort | xxd -r -p | sha256sum | cut -c1-64)
#     else node=$1; fi
#     echo "$node"
#   done | tail -n 1
#   sha256sum timestamp.preimage
#   openssl ts -verify -data timestamp.preimage -in timestamp.tsr -CAfile ca.pem
"""


def path_text(tree: ReducedTree, root: bytes, *, name: str = "timestamp.path.txt") -> str:
    """The text of ``timestamp.path.txt`` for a SHA-256 tree: comments, then one list a line.

    Args:
        tree: reduced tree of the group.
        root: hash that the token covers.
        name: file name that the printed commands use (``[A-Za-z0-9._-]``).

    Returns:
        Text that ends with a line feed; hashes in lower-case hex.
    """
    lists = "".join(" ".join(value.hex() for value in values) + "\n" for values in tree)
    return f"{_HEAD.replace(_NAME, name)}# 根 / root: {root.hex()}\n{lists}"
