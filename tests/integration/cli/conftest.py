import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.cli.main import main
from evidence_desk.vault.keys import KdfParameters

SECRET = "口令-one"
CHEAP = KdfParameters(memory_kib=64, iterations=1, lanes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one run of a program left: exit status and both streams."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document that stdout is."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A vault with one sealed exhibit of two files, by hand-made files with Chinese names."""

    vault: Path
    files: Path
    number: str
    recovery_key: str


Runs = Callable[..., Said]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("cli")
    files = folder / "材料"
    (files / "聊天记录").mkdir(parents=True)
    (files / "合同.txt").write_text("甲方乙方\n", "utf-8")
    (files / "聊天记录" / "一.txt").write_text("早\n", "utf-8")
    (files / "聊天记录" / "二.txt").write_text("晚\n", "utf-8")
    session, recovery_key = init_session(folder / "vault", SECRET, office="test", demo=True, kdf=CHEAP)
    session.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVIDENCE_DESK_PASSPHRASE", SECRET)
        written = folder / "sealed.json"
        with written.open("w", encoding="utf-8") as stream:
            patch.setattr("sys.stdout", stream)
            status = main(
                [
                    "seal",
                    str(files / "聊天记录"),
                    "--vault",
                    str(folder / "vault"),
                    "--case",
                    "（2026）沪01民初1号",
                    "--json",
                ]
            )
    assert status == 0
    (exhibit,) = json.loads(written.read_text("utf-8"))["exhibits"]
    return Prepared(vault=folder / "vault", files=files, number=exhibit["number"], recovery_key=recovery_key)


@pytest.fixture
def vault(prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the prepared vault for one test, opened by the environment."""
    folder = tmp_path / "vault"
    shutil.copytree(prepared.vault, folder)
    monkeypatch.setenv("EVIDENCE_DESK_VAULT", str(folder))
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", SECRET)
    return folder


@pytest.fixture
def run(vault: Path, capsys: pytest.CaptureFixture[str]) -> Runs:  # noqa: ARG001 - the copy is in the environment
    """Run ``evidence-desk`` on the copy in this process."""

    def runs(*arguments: object, program: Callable[[list[str]], int] = main) -> Said:
        capsys.readouterr()
        status = program([str(item) for item in arguments])
        said = capsys.readouterr()
        return Said(status=status, out=said.out, err=said.err)

    return runs


@pytest.fixture
def number(prepared: Prepared) -> str:
    return prepared.number


@pytest.fixture
def certified(run: Runs, number: str, tmp_path: Path) -> tuple[Path, str]:
    """Path and number of a certificate over the sealed exhibit."""
    path = tmp_path / "证书.pdf"
    return path, run("certify", number, "-o", path, "--json").document["certificate"]["number"]


@pytest.fixture
def package(run: Runs, number: str, tmp_path: Path) -> Path:
    path = tmp_path / "证据包.asice"
    assert run("export", number, "-o", path).status == 0
    return path
