"""Component lists, license texts, notes, signed list: from a small package of our own, and with openssl alone."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from evidence_desk.core.release import parse_release_key, read_release
from evidence_desk.errors import EvidenceDeskError
from scripts.release.__main__ import verify, write_licenses
from scripts.release.components import Component, Package, check, find_components, is_refused
from scripts.release.listing import KEY_FILE, PASSWORD_FILE, ReleaseError, Signer, sign_list, signer
from scripts.release.notes import make_notes
from scripts.release.sbom import check_sbom, make_sbom

VERSION = "1.2.3"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """As on Windows: Python, a project with its text, our program."""
    app = tmp_path / "app"
    for place, text in {
        "evidence_desk/__init__.py": "", "python/LICENSE.txt": "PSF", "python/python313.dll": "", "python/libssl-3.dll": "",
        "lib/thing/__init__.py": "", "lib/thing-2.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Thing\nVersion: 2.0\nLicense-Expression: MIT\n",
        "lib/thing-2.0.dist-info/licenses/LICENSE": "MIT text", "lib/thing-2.0.dist-info/RECORD":
        "thing/__init__.py,,\nthing-2.0.dist-info/METADATA,,\nthing-2.0.dist-info/licenses/LICENSE,,\nthing-2.0.dist-info/RECORD,,\n",
    }.items():  # fmt: skip
        path = app / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Package(name="windows", folder=app, projects=app / "lib", modules="lib/")


def test_components_of_a_package(package: Package, tmp_path: Path):
    found = find_components(package, {"thing": "ab" * 32})
    assert [item.name for item in found] == ["CPython", "Evidence Desk", "OpenSSL", "thing"]
    assert found[0].version.startswith("3.")
    assert found[-1].texts == {"LICENSE": b"MIT text"}
    told = json.loads(make_sbom("evidence-desk windows", VERSION, found))
    assert (told["specVersion"], told["components"][-1]["purl"]) == ("1.6", "pkg:pypi/thing@2.0")
    assert told["components"][-1]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    write_licenses(tmp_path / "l.zip", {"windows": found})
    assert "licenses/thing-2.0/LICENSE" in zipfile.ZipFile(tmp_path / "l.zip").namelist()


def test_ends_the_build(package: Package):
    (package.folder / "python" / "strange.dll").touch()
    with pytest.raises(ReleaseError, match=r"strange\.dll"):
        find_components(package, {})
    (package.folder / "python" / "strange.dll").unlink()
    text = package.projects / "thing-2.0.dist-info" / "licenses" / "LICENSE"
    text.write_text(" \n")
    with pytest.raises(ReleaseError, match=r"without license text: \['thing'\]"):
        find_components(package, {})
    text.write_text("text")
    about = package.projects / "thing-2.0.dist-info" / "METADATA"
    about.write_text(about.read_text().replace("MIT", "AGPL-3.0-only"))
    with pytest.raises(ReleaseError, match=r"must not be passed on: \['thing"):
        find_components(package, {})
    (package.folder / "evidence_desk" / "__init__.py").unlink()
    about.write_text(about.read_text().replace("AGPL-3.0-only", "MIT"))
    with pytest.raises(ReleaseError, match=r"program is not in"):
        find_components(package, {})


@pytest.mark.parametrize(
    ("told", "refused"),
    [
        ("MIT", False), ("GPL-3.0-only", True), ("AGPL-3.0-or-later", True), ("GPLv2", True), ("MIT AND GPL-2.0-only", True),
        ("LGPL-3.0-only AND GPL-3.0-only", True), ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", False), ("LGPL-3.0-only", False),
        ("GPL-2.0-or-later WITH Bootloader-exception", False), ("GNU General Public License v2 (GPLv2)", True),
        ("GNU Lesser General Public License v3", False), ("GPL-2.0-only OR AGPL-3.0-only", True), ("GPL-3.0-only OR MIT", False),
    ],
)  # fmt: skip
def test_gpl(told: str, refused: bool):
    assert is_refused(told) is refused


def test_a_component_without_any_text():
    with pytest.raises(ReleaseError, match="without license text"):
        check([Component(name="x", version="1", license="MIT")])


def test_the_schema_is_asked():
    with pytest.raises(ReleaseError, match="no CycloneDX"):
        check_sbom('{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": "one"}')


def key_file(path: Path, secret: bytes = b"geheim") -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(secret)))
    return key


def test_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(KEY_FILE, raising=False)
    first, second = signer(), signer()
    assert first.demonstration
    assert first.key != second.key
    path, password = tmp_path / "key.pem", tmp_path / "password"
    monkeypatch.setenv(KEY_FILE, str(path))
    with pytest.raises(ReleaseError):
        signer()
    key = key_file(path)
    with pytest.raises(ReleaseError):
        signer()
    monkeypatch.delenv(PASSWORD_FILE, raising=False)
    monkeypatch.setenv(PASSWORD_FILE, str(password))
    password.write_text("geheim\n")
    given = signer()
    assert not given.demonstration
    assert given.key.public == key.public_key().public_bytes_raw()
    other = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(
        other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"geheim"))
    )
    with pytest.raises(ReleaseError, match="Ed25519"):
        signer()


@pytest.fixture(params=[False, True], ids=["release", "demonstration"])
def dist(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with a signed list, as the script leaves it."""
    folder = tmp_path / "dist"
    folder.mkdir()
    by = Signer(private=Ed25519PrivateKey.generate(), demonstration=request.param)
    files = [folder / f"a-{VERSION}.exe", folder / f"b-{VERSION}.deb"]
    for path in files:
        path.write_bytes(path.name.encode() * 99)
    (folder / "list").write_bytes(sign_list(files, VERSION, by))
    (folder / f"evidence-desk-{VERSION}-release.txt").write_bytes((folder / "list").read_bytes())
    (folder / "release.vkey").write_text(by.key.encode())
    (folder / "release.pem").write_bytes(by.pem)
    release = read_release((folder / "list").read_bytes(), by.key)
    (folder / "README.md").write_text(make_notes(VERSION, release.files, by.key, partial=False), "utf-8")
    return folder


def by_hand(folder: Path) -> subprocess.CompletedProcess[str]:
    """The commands of the notes, each of which has to succeed."""
    text = (folder / "README.md").read_text("utf-8").partition("```sh\n")[2].partition("```")[0]
    script = "set -e -o pipefail\n" + text
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)


def test_what_a_stranger_has_is_enough(dist: Path):
    done = by_hand(dist)
    assert done.returncode == 0, done.stderr
    key = parse_release_key((dist / "release.vkey").read_text())
    assert done.stdout.startswith(key.fingerprint)
    assert "Signature Verified Successfully" in done.stdout
    assert done.stdout.count(": OK") == 2
    assert verify(dist / "list", dist / "release.vkey") == []


@pytest.mark.parametrize("name", [f"a-{VERSION}.exe", f"evidence-desk-{VERSION}-release.txt", "release.pem"])
def test_a_flipped_byte_is_seen_by_hand(dist: Path, name: str):
    data = bytearray((dist / name).read_bytes())
    data[60] ^= 1
    (dist / name).write_bytes(data)
    assert by_hand(dist).returncode != 0


def test_sm3_by_hand(dist: Path):
    """A list rightly signed whose SM3 is another's."""
    by = Signer(private=Ed25519PrivateKey.generate(), demonstration=False)
    listed = dist / f"evidence-desk-{VERSION}-release.txt"
    old = read_release((dist / "list").read_bytes(), parse_release_key((dist / "release.vkey").read_text()))
    text = old.encode().replace(old.files[1].sm3, "0" * 64).replace("演示/demonstration", "release")
    listed.write_bytes(by.key.sign(text, by.private.sign))
    (dist / "release.pem").write_bytes(by.pem)
    (dist / "README.md").write_text(make_notes(VERSION, old.files, by.key, partial=False), "utf-8")
    done = by_hand(dist)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, f"SM3: b-{VERSION}.deb")


def test_verify_says_what_differs(dist: Path):
    (dist / f"a-{VERSION}.exe").write_bytes(b"other")
    (dist / f"b-{VERSION}.deb").unlink()
    assert verify(dist / "list", dist / "release.vkey") == [
        f"a-{VERSION}.exe: size or digest differs", f"b-{VERSION}.deb: missing",
    ]  # fmt: skip
    (dist / "list").write_bytes((dist / "list").read_bytes().replace(b"version 1", b"version 2"))
    with pytest.raises(EvidenceDeskError):
        verify(dist / "list", dist / "release.vkey")


def test_notes(dist: Path, request: pytest.FixtureRequest):
    text = (dist / "README.md").read_text("utf-8")
    assert ("演示" in text) is ("demonstration" in request.node.name)
    assert "real Windows" in text
    assert "{{" not in text
    assert "0.0 |" in text
