"""The whole main job on the sample case, by the real programs, and then the failure that a flipped byte causes.

Every step is a command that a person could type; it is printed before it runs. Nothing here looks inside the product.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypedDict

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file: the demo's other part lies beside it

from scripts import demo_capture, demo_court

ROOT: Final = Path(__file__).parents[1]
SAMPLE: Final = ROOT / "assets" / "sample_case"
OUT: Final = Path(os.environ.get("EVIDENCE_DEMO_OUT", ROOT / "build" / "demo"))
BIN: Final = Path(sys.executable).parent
PASSPHRASE: Final = "demo-passphrase-演示"  # noqa: S105 - a throw-away vault
STEPS: Final = 13


class Demo:
    """Progress, commands and their results."""

    def __init__(self) -> None:
        self.step = 0
        self.started = time.monotonic()
        self.environment = {
            **os.environ,
            "EVIDENCE_DESK_VAULT": str(OUT / "vault"),
            "EVIDENCE_DESK_PASSPHRASE": PASSPHRASE,
        }

    def title(self, zh: str, en: str) -> None:
        """Announce the next step."""
        self.step += 1
        say(f"\n[{self.step}/{STEPS}] {zh} / {en}   ({time.monotonic() - self.started:.0f} s)")

    @property
    def programs(self) -> Path:
        """Folder of our programs."""
        return BIN

    def say(self, text: str) -> None:
        """Print at once."""
        say(text)

    def run(self, *command: str | Path, expect: Sequence[int] = (0,), quiet: bool = False) -> str:
        """Run one of our programs or a system tool; its output; ends the demo when the status is not expected."""
        words = [str(word) for word in command]
        if not quiet:
            say("  $ " + " ".join(_short(word) for word in words))
        program = str(BIN / words[0]) if (BIN / words[0]).exists() else words[0]
        done = subprocess.run(
            [program, *words[1:]], env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in expect:
            sys.exit(f"{words[0]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def json(self, *command: str | Path, expect: Sequence[int] = (0,)) -> dict[str, Any]:
        """Run a command with ``--json``."""
        value: dict[str, Any] = json.loads(self.run(*command, "--json", expect=expect))
        return value


class Sealed(TypedDict):
    """One exhibit of the demo and its files."""

    number: str
    title: str
    package: Path
    originals: list[Path]


def main() -> None:
    """Run the demo."""
    demo = Demo()
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / "results").mkdir(parents=True)
    case = json.loads((SAMPLE / "case.json").read_text(encoding="utf-8"))
    demo.title("准备样例案件（含运行时生成的 50 MB 录像）", "sample case, with a 50 MB video made now")
    originals = prepare(case)
    demo.title("启动演示时间戳服务（独立进程，HTTP）", "start the demo authority as its own HTTP process")
    with authority(demo) as url, demo_court.network(demo, OUT / "court") as court:
        demo.title(
            "建立存证库，登记时间戳服务，加入节点网络", "make a vault, use the authority, join the network"
        )
        make_vault(demo, url)
        demo_court.join(demo, court)
        demo.title("存证：摘要、加密入库、写入日志、取时间戳", "seal: hash, encrypt, log, timestamp")
        sealed = [seal(demo, case, item, originals) for item in case["exhibits"]]
        demo.title("网页取证：用取证浏览器打开本机网站，录制并封存", "capture a page of a local site")
        page = demo_capture.capture(demo, case, OUT / "site")
        demo.title(
            "上链：节点网络接收日志，证明经轻客户端核实后保存",
            "anchor: accepted by the network, proof light-verified",
        )
        demo_court.anchor(demo)
        demo.title("出具存证证书", "certify")
        certificate = OUT / "results" / "存证证书.pdf"
        demo.run("evidence-desk", "certify", *(item["number"] for item in sealed), "-o", certificate,
                 "--operator", case["operator"])  # fmt: skip
        pages = [captured(demo, case, page)] if page else []
        demo.title("导出证据包，并核对全部日志", "export packages, audit the whole log")
        for item in (*sealed, *pages):
            demo.run("evidence-desk", "export", item["number"], "-o", item["package"])
        say("  " + demo.run("evidence-desk", "audit").strip())
        demo.title("法官查验：凭文件，不需要存证库", "a judge looks a file up, without a vault")
        demo_court.look_up(demo, court, sealed[0]["originals"][0], OUT)
    demo.title(
        "离线核验（时间戳服务和全部节点已停止，不需要存证库）",
        "verify offline: authority and all nodes stopped, no vault",
    )
    trust = OUT / "vault" / "trust"
    verify_all(demo, sealed, pages, certificate, trust)
    demo.title("改动一个字节", "flip one byte")
    flip_all(demo, sealed[0], certificate, trust)
    demo.title("完成", "done")
    finish(certificate, trust)


def prepare(case: dict[str, Any]) -> Path:
    """A working copy of the sample case with its modification times, and the generated video."""
    folder = OUT / "originals"
    folder.mkdir()
    names = {path.split("/")[0] for exhibit in case["exhibits"] for path in exhibit["paths"]}
    for generated in case["generated"]:
        write_generated(folder / generated["path"], generated)
    for name in names:
        source = SAMPLE / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif source.is_file():
            shutil.copy(source, folder / name)
    for name, moment in case["modified"].items():
        seconds = datetime.fromisoformat(moment).timestamp()
        os.utime(folder / name, (seconds, seconds))
    return folder


def write_generated(path: Path, recipe: dict[str, Any]) -> None:
    """Head bytes, then SHAKE-256 of the seed; compared with the digest in case.json."""
    head = bytes.fromhex(recipe["head_hex"])
    body = hashlib.shake_256(recipe["shake_256_seed"].encode()).digest(recipe["size"] - len(head))
    if hashlib.sha256(head + body).hexdigest() != recipe["sha256"]:
        sys.exit("generated file differs")
    path.write_bytes(head + body)


@contextmanager
def authority(demo: Demo) -> Iterator[str]:
    """``evidence-tsa serve`` for the length of a block; its address."""
    command = [str(BIN / "evidence-tsa"), "serve", "--port", "0", "--state", str(OUT / "authority")]
    say("  $ evidence-tsa serve --port 0 --state build/demo/authority &")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=demo.environment) as process:
        try:
            if process.stdout is None or not (url := process.stdout.readline().strip()):
                sys.exit("the authority did not start")
            say(f"  {url}  演示/非第三方 demo, not a third party")
            yield url
        finally:
            process.terminate()


def make_vault(demo: Demo, url: str) -> None:
    """A demo vault that asks the authority over HTTP; its root certificate is given by hand, not assumed."""
    made = demo.json("evidence-desk", "init", "--demo")
    (OUT / "recovery-key.txt").write_text(made["recovery_key"] + "\n", encoding="utf-8")
    root = OUT / "authority-ca.pem"
    with urllib.request.urlopen(f"{url}ca.pem", timeout=10) as response:
        root.write_bytes(response.read())
    demo.run("evidence-desk", "authority", "add", url, "--name", "演示时间戳服务 HTTP", "--trust", root,
             "--crl", f"{url}crl.der")  # fmt: skip
    answer = demo.json("evidence-desk", "authority", "test")
    say(f"  {answer['authority']}: {answer['gen_time']}, {answer['round_trip_ms']} ms")


def seal(demo: Demo, case: dict[str, Any], exhibit: dict[str, Any], folder: Path) -> Sealed:
    """Seal one exhibit of the case."""
    parties = [f"{item['role']} {item['name']}（{item['representative']}）" for item in case["parties"]]
    words: list[str | Path] = ["evidence-desk", "seal", *(folder / path for path in exhibit["paths"])]
    words += ["--case", case["case_number"], "--court", case["court"], "--cause", case["cause"]]
    for party in parties:
        words += ["--party", party]
    words += ["--title", exhibit["title"], "--kind", exhibit["kind"], "--purpose", exhibit["purpose"]]
    words += ["--source", exhibit["source"], "--operator", case["operator"], "--interest", case["interest"]]
    (sealed,) = demo.json(*words)["exhibits"]
    say(f"  {sealed['number']}  {sealed['title']}  {sealed['states']['timestamped']}")
    paths = [folder / path for path in exhibit["paths"]]
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return Sealed(
        number=sealed["number"], title=exhibit["title"],
        package=OUT / "results" / f"{exhibit['exhibit_no']}-{exhibit['title']}.asice", originals=files,
    )  # fmt: skip


def captured(demo: Demo, case: dict[str, Any], number: str) -> Sealed:
    """The certificate of a captured page, and where its package goes."""
    demo.run(
        "evidence-desk",
        "certify",
        number,
        "-o",
        OUT / "results" / "网页取证证书.pdf",
        "--operator",
        case["operator"],
    )
    return Sealed(number=number, title="作品发布页", package=OUT / "results" / "网页取证.asice", originals=[])


def verify_all(demo: Demo, sealed: list[Sealed], pages: list[Sealed], certificate: Path, trust: Path) -> None:
    """Every package, and the certificate with the originals beside it."""
    for item in (*sealed, *pages):
        verdict = demo.json("evidence-verify", item["package"], "--trust", trust)
        say(f"  {verdict['overall']}: {item['package'].name}{_anchored(verdict)}")
    files = [file for item in sealed for file in item["originals"]]
    verdict = demo.json("evidence-verify", certificate, "--trust", trust, "--file", *files)
    say(f"  {verdict['overall']}: {certificate.name} + {len(files)} files")
    for caveat in verdict["caveats"]:
        say(f"    ! {caveat['explanation']}")
    unknown = demo.json("evidence-verify", sealed[0]["package"], expect=(2,))
    say(f"  {unknown['overall']}: {sealed[0]['package'].name}（不给信任根 / without trust roots）")
    by_hand(demo, sealed[0]["package"])


def _anchored(verdict: dict[str, Any]) -> str:
    """What the verifier found about the court network."""
    found = [item["status"] for item in verdict["findings"] if item["dimension"] == "court"]
    passed = bool(found) and set(found) == {"passed"}
    return f"，法院网络 court network: {'passed' if passed else 'NOT PROVEN'}"


def by_hand(demo: Demo, package: Path) -> None:
    """Without us: openssl on what lies in the package."""
    folder = OUT / "by-hand"
    demo.run("unzip", "-q", package, "-d", folder)
    verify = folder / "verify"
    demo.run("openssl", "ts", "-verify", "-data", verify / "timestamp.preimage", "-in", verify / "timestamp.tsr",
             "-CAfile", OUT / "authority-ca.pem")  # fmt: skip
    say("  Verification: OK (openssl)")


def flip_all(demo: Demo, item: Sealed, certificate: Path, trust: Path) -> None:
    """One byte in the middle of a package, of a certificate, and of an original."""
    spoiled = OUT / "spoiled"
    spoiled.mkdir()
    for source in (item["package"], certificate):
        target = flipped(source, spoiled / source.name)
        verdict = demo.json("evidence-verify", target, "--trust", trust, expect=(1,))
        wrong = next(finding for finding in verdict["findings"] if finding["status"] == "failed")
        say(f"  {verdict['overall']}: {source.name}: {wrong['explanation']}")
    original = flipped(item["originals"][0], spoiled / item["originals"][0].name)
    verdict = demo.json("evidence-verify", certificate, "--trust", trust, "--file", original, expect=(1,))
    wrong = next(finding for finding in verdict["findings"] if finding["status"] == "failed")
    say(f"  {verdict['overall']}: {original.name}: {wrong['explanation']}")


def flipped(source: Path, target: Path) -> Path:
    """A copy with one bit of its middle byte changed."""
    data = bytearray(source.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(data)
    return target


def finish(certificate: Path, trust: Path) -> None:
    """Where everything lies, and what to try next."""
    say(f"""
  存证证书 certificate:   {certificate}
  证据包 packages:        {certificate.parent}
  信任根 trust roots:     {trust}
  被改动的副本 spoiled:   {OUT / "spoiled"}
  存证库 vault:           {OUT / "vault"}（口令 passphrase: {PASSPHRASE}）

  再试 try yourself:
    .venv/bin/evidence-verify {certificate} --trust {trust}

  以上时间戳和证书均由演示密钥签发：演示/非第三方，不得用于诉讼。
  All timestamps and signatures come from demo keys: not a third party, not for use in court.""")


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _short(word: str) -> str:
    text = word.replace(str(ROOT) + "/", "")
    text = text if len(text) <= 48 else text[:46] + "…"
    return f"'{text}'" if " " in text or "（" in text else text


if __name__ == "__main__":
    main()
