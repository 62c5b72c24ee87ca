"""Sealing the same files of a case again: told with the number they have, sealed only when asked for."""


def test_the_same_files_are_not_sealed_twice(run, prepared):
    path = prepared.files / "合同.txt"
    (first,) = run("seal", path, "--case", "案", "--json").document["exhibits"]
    again = run("seal", path, "--case", "案", "--json")
    assert again.status == 0
    assert again.document["exhibits"] == []
    assert again.document["duplicates"] == [{"path": str(path), "number": first["number"]}]
    said = run("seal", path, "--case", "案")
    assert said.status == 0
    assert f"与本案证据 {first['number']} 的文件完全相同" in said.out
    (second,) = run("seal", path, "--case", "案", "--again", "--json").document["exhibits"]
    assert second["number"] != first["number"]
