import io

from evidence_desk.core.package import read_package


def test_a_package_reads_back(package):
    opened = read_package(io.BytesIO(package))
    assert opened.verify_index().problems == ()
    assert opened.files == ("files/0001.pdf", "files/0002.txt", "files/0003")
