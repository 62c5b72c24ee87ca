"""What goes into the package is checked: a flipped byte anywhere ends the build."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.package_windows import fetch
from scripts.package_windows.fetch import pinned_file, wheel_files
from scripts.package_windows.inputs import BuildError, Inputs, locked_wheels, read_inputs
from scripts.package_windows.pe import imported
from scripts.package_windows.runtime import inner_archive, member
from scripts.package_windows.signatures import (
    catalog_content,
    check_listed,
    check_signature,
    check_signatures,
    is_program,
)
from scripts.package_windows.wheels import prune_qt, unpack

_INDIRECT_DATA = bytes.fromhex("2b060104018237020104")
"""OID of what Authenticode signs."""


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return read_inputs()


@pytest.fixture(scope="module")
def roots(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("roots") / "roots.pem"
    path.write_bytes(member(inputs.files["roots"]))
    return path


@pytest.fixture(scope="module")
def embedded(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedded")
    with inner_archive(inputs.files["embedded"]) as archive:
        archive.extractall(folder)
    return folder / inputs.files["embedded"].folder


def flipped(source: Path, target: Path, place: Callable[[int], int]) -> Path:
    data = bytearray(source.read_bytes())
    data[place(len(data))] ^= 1
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("name", ["embedded", "library", "roots"])
def test_a_pinned_file_with_a_flipped_byte(
    inputs: Inputs, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = inputs.files[name]
    flipped(pinned_file(pinned), tmp_path / "files" / pinned.name, lambda size: size // 2)
    monkeypatch.setattr(fetch, "CACHE", tmp_path)
    with pytest.raises(BuildError, match="SHA-256"):
        pinned_file(pinned)


def test_a_wheel_with_a_flipped_byte(inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = [wheel for wheel in locked_wheels(inputs) if wheel.project == "sqlcipher3"]
    (path,) = wheel_files(wheels, inputs).values()
    flipped(path, tmp_path / "wheels" / path.name, lambda size: size // 3)
    monkeypatch.setattr(fetch, "CACHE", tmp_path)
    with pytest.raises(BuildError, match="SHA-256"):
        wheel_files(wheels, inputs)


def test_every_program_of_the_runtime_is_signed(inputs: Inputs, embedded: Path, roots: Path) -> None:
    files = sorted(embedded.iterdir())
    signed = check_signatures(files, roots, inputs.signers["runtime"])
    assert len(signed) == sum(1 for path in files if is_program(path)) == 30
    assert set(signed.values()) == {"Python Software Foundation", "Microsoft Corporation"}


@pytest.mark.parametrize("name", ["python313.dll", "_ssl.pyd", "vcruntime140.dll"])
def test_a_signature_that_does_not_fit(
    inputs: Inputs, embedded: Path, roots: Path, tmp_path: Path, name: str
) -> None:
    # in code; and in the digest that is signed
    signed = (embedded / name).read_bytes().index(_INDIRECT_DATA) + 60
    for place in (lambda size: size // 2, lambda _size: signed):
        damaged = flipped(embedded / name, tmp_path / name, place)
        with pytest.raises(BuildError, match=r"not verified|signed by"):
            check_signature(damaged, roots, inputs.signers["runtime"])


def test_a_signature_of_somebody_else(embedded: Path, roots: Path) -> None:
    with pytest.raises(BuildError, match="Python Software Foundation"):
        check_signature(embedded / "python313.dll", roots, ["Microsoft Corporation"])


def test_a_signature_to_no_root(inputs: Inputs, embedded: Path, tmp_path: Path, roots: Path) -> None:
    other = tmp_path / "one.pem"
    first = roots.read_text("ascii", "replace").partition("-----END CERTIFICATE-----")[0]
    other.write_text(f"{first[first.index('-----BEGIN') :]}-----END CERTIFICATE-----\n")
    with pytest.raises(BuildError, match="not verified"):
        check_signature(embedded / "python313.dll", other, inputs.signers["runtime"])


def test_a_file_without_signature(inputs: Inputs, roots: Path, tmp_path: Path) -> None:
    wheel = next(item for item in locked_wheels(inputs) if item.project == "sqlcipher3")
    with zipfile.ZipFile(wheel_files([wheel], inputs)[wheel]) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".pyd"))
        path = Path(archive.extract(name, tmp_path))
    with pytest.raises(BuildError, match="not verified"):
        check_signature(path, roots, inputs.signers["runtime"])


def test_the_library_is_vouched_for(inputs: Inputs, roots: Path, tmp_path: Path) -> None:
    pinned = inputs.files["library"]
    catalog = tmp_path / "library.cat"
    with inner_archive(pinned) as archive:
        catalog.write_bytes(archive.read(pinned.folder + pinned.catalog))
        sources = {
            name: archive.read(f"{pinned.folder}Lib/{name}")
            for name in ("os.py", "ssl.py", "zipfile/__init__.py")
        }
    content = catalog_content(catalog, roots, inputs.signers["catalog"])
    check_listed(sources, content, inputs.unlisted)
    for name, data in sources.items():
        with pytest.raises(BuildError, match="not in the signed catalog"):
            check_listed({name: data + b"\n"}, content, inputs.unlisted)
    damaged = flipped(catalog, tmp_path / "damaged.cat", lambda size: size // 4)
    with pytest.raises(BuildError, match="not verified"):
        catalog_content(damaged, roots, inputs.signers["catalog"])


def test_nothing_under_gpl_alone_is_packaged(inputs: Inputs, tmp_path: Path) -> None:
    wheels = [wheel for wheel in locked_wheels(inputs) if wheel.project in {"pyside6-addons", "pyside6-essentials", "shiboken6"}]  # fmt: skip
    unpack(wheel_files(wheels, inputs), tmp_path)
    qt = tmp_path / "PySide6"
    assert (qt / "Qt6Charts.dll").exists()
    left_out = prune_qt(tmp_path, inputs.qt)
    kept = {path.name.lower() for path in tmp_path.rglob("*")}
    for name in (
        "Charts",
        "DataVisualization",
        "Graphs",
        "HttpServer",
        "NetworkAuth",
        "VirtualKeyboard",
        "QuickTimeline",
    ):
        assert f"qt6{name}.dll".lower() not in kept
        assert f"qt{name}.pyd".lower() not in kept
    assert "qtvirtualkeyboardplugin.dll" not in kept
    # what stays finds all that it loads
    own = {Path(name).name.lower() for name in left_out}
    for path in (path for path in qt.rglob("*") if is_program(path)):
        assert not (imported(path) & own) - kept, path.name
    shutil.rmtree(qt)


def test_a_part_under_gpl_alone_ends_the_build(inputs: Inputs, tmp_path: Path) -> None:
    wheels = [wheel for wheel in locked_wheels(inputs) if wheel.project in {"pyside6-addons", "pyside6-essentials", "shiboken6"}]  # fmt: skip
    unpack(wheel_files(wheels, inputs), tmp_path)
    with pytest.raises(BuildError, match="GPL"):
        prune_qt(tmp_path, replace(inputs.qt, modules=[*inputs.qt.modules, "QtCharts"]))
