"""``verify/README.txt``: how to check a package with openssl, sha256sum, sort and xxd alone. A test runs every command.

Lines indented by four blanks are the commands, to be run in one shell, in the folder of the unpacked package.
"""

from __future__ import annotations

from typing import Final

_TITLE: Final = """\
证据包手工核验说明 / Checking this evidence package by hand
存证编号 / evidence number: {number}
日志 / log: {origin}
"""

_DEMO: Final = """
【演示/非第三方】本证据包的时间戳由演示用时间戳服务签发，不是独立第三方，只可用于试用和测试，不得作为时间证明提交。
[DEMO, NOT A THIRD PARTY] The timestamp comes from a demonstration authority. For trial only; it proves no time.
"""

_BEFORE: Final = """
一、准备 / Preparation
先解压证据包，再在解压得到的文件夹中打开 bash，按顺序在同一窗口中执行下列缩进四格的命令。需要 openssl 3.0 以上、
sha256sum、sort、xxd（Windows 可用 Git Bash 或 WSL）。
Unpack the package, open bash in the folder it made, and run the commands indented by four blanks, in order, in one
window. You need openssl 3.0 or newer, sha256sum, sort and xxd (on Windows: Git Bash or WSL).

重要：包内的根证书（verify/ca.pem）和终端公钥（verify/desk.vkey）只是提交人所称的，不能因为在包里就予以信任。
请从另外的渠道（时间戳机构官网、法院或公证机构留存的材料、书面文件）取得其指纹，与下面第五步显示的指纹逐字比对；
比对不一致或无从比对的，第三、四步的“通过”不能说明签名人是谁、时间由谁证明。
IMPORTANT: the CA certificate and the desk's key inside the package are only what the submitter says they are. Get their
fingerprints from elsewhere (the authority's site, what a court or notary keeps, paper) and compare with step 5. If they
differ, or there is nothing to compare with, "OK" in steps 3 and 4 does not say who signed or who vouches for the time.
"""

_INDEX: Final = """
二、清单 / The index
清单 index.json 列出各文件的 SHA-256 和 SM3。每一行都应显示 OK；清单本身的两个摘要应与 index.note 中的一致。
index.json lists SHA-256 and SM3 of the files. Every line must say OK.

    grep -o '"name":"[^"]*","sha256":"[0-9a-f]*"' index.json |
      sed 's/"name":"\\(.*\\)","sha256":"\\(.*\\)"/\\2  \\1/' | sha256sum -c
    grep -o '"name":"[^"]*"\\|"sm3":"[0-9a-f]*"' index.json | cut -d '"' -f 4 | while read -r name && read -r sm3; do
      if [ "$(openssl dgst -sm3 -r "$name" | cut -c 1-64)" = "$sm3" ]; then echo "$name: SM3 OK"
      else echo "$name: SM3 FAILED"; fi
    done
    if grep -qx "sha256 $(sha256sum < index.json | cut -c 1-64)" index.note &&
       grep -qx "sm3 $(openssl dgst -sm3 -r index.json | cut -c 1-64)" index.note
    then echo "index.json: OK"; else echo "index.json: FAILED"; fi

mimetype、META-INF/ 中的文件、index.json 和 index.note 不在清单内；除此以外，包中不应有清单未列的文件。
Only mimetype, META-INF/, index.json and index.note are not listed; nothing else may be in the package unlisted.
"""

_NOTE: Final = """
三、存证终端的签名 / The desk's signatures
index.note 由存证终端以 Ed25519 和 SM2 两把密钥签名。两条命令应分别显示“Signature Verified Successfully”和“Verified OK”。
index.note is signed with two keys, Ed25519 and SM2.

    work=$(mktemp -d)
    sed '/^$/,$d' index.note > "$work/text"
    grep '^— ' index.note | sed -n 1p | cut -d ' ' -f 3 | base64 -d | tail -c +5 > "$work/ed25519.sig"
    grep '^— ' index.note | sed -n 2p | cut -d ' ' -f 3 | base64 -d | tail -c +5 > "$work/sm2.sig"
    { echo 302a300506032b6570032100 | xxd -r -p
      sed -n 1p verify/desk.vkey | cut -d + -f 3- | base64 -d | tail -c 32; } > "$work/ed25519.der"
    { echo 3059301306072a8648ce3d020106082a811ccf5501822d034200 | xxd -r -p
      sed -n 2p verify/desk.vkey | cut -d + -f 3- | base64 -d | tail -c 65; } > "$work/sm2.der"
    openssl pkey -pubin -inform DER -in "$work/ed25519.der" -out "$work/ed25519.pem"
    openssl pkey -pubin -inform DER -in "$work/sm2.der" -out "$work/sm2.pem"
    openssl pkeyutl -verify -pubin -inkey "$work/ed25519.pem" -rawin -in "$work/text" -sigfile "$work/ed25519.sig"
    openssl dgst -sm3 -verify "$work/sm2.pem" -sigopt distid:1234567812345678 -signature "$work/sm2.sig" "$work/text"

（SM2 的用户标识为 1234567812345678；openssl 默认为空，不写 distid 必然验不过。）
(The SM2 user ID is 1234567812345678; openssl assumes an empty one unless told.)
"""

_TIME: Final = """
四、时间戳 / The timestamp
时间戳覆盖的不是文件本身，而是由文件摘要逐层算出的一个摘要。第一组命令：存证说明和每个文件的摘要都在路径文件的
第一行中，应显示 OK。第二组：从该行逐层排序、拼接、计算，应得到 verify/timestamp.preimage 的摘要，显示 path OK。
第三组：由 openssl 验证时间戳，应显示“Verification: OK”，并显示时间（Time stamp，世界协调时，北京时间须加八小时）。
The timestamp covers one hash derived from the files' hashes. First: each file's hash is in the first line of a path
file. Second: sorted, joined and hashed line by line this leads to the bytes that the timestamp covers. Third: openssl
checks the timestamp over them and prints its time (UTC).

    first=$(for path in verify/*.path.txt; do grep -v '^#' "$path" | head -n 1; done)
    sha256sum statement.json files/* | while read -r hash name; do
      case "$first" in *"$hash"*) echo "$name: covered OK" ;; *) echo "$name: NOT COVERED" ;; esac
    done
    for path in verify/*.path.txt; do
      grep -v '^#' "$path" | {{
        node=
        while read -r list; do
          set -- $node $list
          if [ $# -gt 1 ]
          then node=$(printf '%s\\n' "$@" | LC_ALL=C sort | tr -d '\\n' | xxd -r -p | sha256sum | cut -c 1-64)
          else node=$1; fi
        done
        if [ "$node" = "$(sha256sum < verify/timestamp.preimage | cut -c 1-64)" ]
        then echo "$path: path OK"; else echo "$path: path FAILED"; fi
      }}
    done
    openssl ts -verify -data verify/timestamp.preimage -in verify/timestamp.tsr -CAfile verify/ca.pem{untrusted}
    openssl ts -reply -in verify/timestamp.tsr -text | grep -E 'Time stamp|Policy OID|Serial number'

时间戳机构的证书到期以后，openssl 会报告证书过期；可在第一条 openssl 命令后加 -attime 和时间戳时间的 Unix 秒数，但这样
验证只说明当时有效，不能排除该机构私钥日后泄露、时间被倒签。吊销情况见 verify/ 中的吊销列表（如有）：
After the authority's certificate has expired, add -attime and the Unix time of the timestamp; this shows validity then,
and cannot rule out a key stolen later. Revocation lists, when there are any:

    for crl in verify/*crl*.pem; do
      if [ -e "$crl" ]; then openssl crl -in "$crl" -CAfile verify/ca.pem -noout -lastupdate -nextupdate; fi
    done
"""

_SM2_TIME: Final = """
四、时间戳 / The timestamp
本证据包的时间戳以 SM2 签名，openssl ts 命令不能验证，请使用 evidence-verify 程序或支持国密算法的软件。
This timestamp is signed with SM2, which `openssl ts` cannot check. Use evidence-verify or software for SM2.
"""

_AFTER: Final = """
五、指纹 / Fingerprints
与从另外渠道取得的指纹逐字比对。 / Compare with fingerprints obtained elsewhere.

    openssl x509 -in verify/ca.pem -noout -subject -fingerprint -sha256
    sha256sum verify/desk.vkey

六、说明什么，不说明什么 / What this shows, and what it does not
各步均通过且指纹相符的：files/ 中的文件与登记时的数据逐位相同，并且在时间戳所载时间（加上其精度）之前已经存在。
不说明：文件内容是否真实、由谁制作或发布、登记以前是否被修改。
本地存证日志（proof.json）的核验须用 evidence-verify 程序，或任何实现 RFC 6962 的程序。
If every step passes and the fingerprints agree: the files are bit for bit the data registered, and they existed before
the time of the timestamp plus its accuracy. Not shown: whether the content is true, who made it, or whether it was
altered before it was registered. The log's part (proof.json) needs evidence-verify or another RFC 6962 program.
"""


def hand_check_readme(
    *,
    number: str,
    origin: str,
    demo: bool,
    timestamped: bool = True,
    sm2_token: bool = False,
    chain: bool = False,
    network: str = "",
) -> bytes:
    """UTF-8 text of ``verify/README.txt``.

    The commands expect in ``verify/``: ``desk.vkey`` (`NoteKeys.encode`), ``ca.pem``, ``timestamp.tsr`` (DER
    TimeStampResp, RFC 3161 §2.4.2), ``timestamp.preimage``, one ``*.path.txt`` a group, and CRLs as ``crl*.pem``.

    Args:
        number: evidence number.
        origin: origin of the desk's log.
        demo: the authority is a demonstration: says so first.
        timestamped: false while the exhibit still waits for its token: leaves the time out.
        sm2_token: the token is signed with SM2, which ``openssl ts`` cannot check.
        chain: intermediate certificates lie in ``verify/chain.pem``.
        network: chain ID of the court network that accepted the log's checkpoint, "" while 未上链.
    """
    time = _SM2_TIME if sm2_token else _TIME.format(untrusted=" -untrusted verify/chain.pem" if chain else "")
    parts = [_TITLE.format(number=number, origin=origin), _DEMO if demo else "", _BEFORE, _INDEX, _NOTE]
    court = _ANCHORED.format(network=network) if network else _NOT_ANCHORED
    return "".join([*parts, time if timestamped else _WAITING, _AFTER, court]).encode()


_WAITING: Final = """
四、时间戳 / The timestamp
本证据尚未取得时间戳，不能证明其在某一时间之前已经存在。
This exhibit has no timestamp yet; nothing here shows that it existed before any time.
"""

_ANCHORED: Final = """
七、法院节点网络 / The court network
proof.json 的 court 部分载有：法院节点网络 {network} 接收本日志检查点的记录、记录所在的区块头、各节点对区块头的签名，以及
区块头的时间戳。这些不用常见命令核验，请使用 evidence-verify --trust 信任根文件夹 证据包文件（无需联网，节点停用后仍可）。
信任根文件夹须含该网络的 network.json，并须从另外的渠道取得（参加该网络的法院、公证机构）：包内没有，也不应当有。
名称以 demo- 开头的是演示网络，没有独立第三方参与。
The member court of proof.json holds the record by which the court network {network} accepted the log's checkpoint, the
block header over it, the nodes' signatures of the header, and its timestamp. Common commands do not check these; run
evidence-verify --trust FOLDER PACKAGE (it needs no network, and works after the nodes are gone). The trust folder must
hold the network's network.json and come from elsewhere (an institution of the network): it is not in the package, and
must not be. A name that begins with demo- is a demonstration network, with no independent third party in it.
"""

_NOT_ANCHORED: Final = """
七、法院节点网络 / The court network
未上链：本证据包不含法院节点网络的证明。
Not anchored: this package holds no proof of a court network.
"""
