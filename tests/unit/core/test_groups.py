from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.groups import GROUP_SIZE, group_hashes, group_of


@given(st.integers(0, 450))
def test_every_file_is_where_its_index_says(count):
    files = [b"file %d" % index for index in range(count)]
    groups = group_hashes(b"statement", files)
    assert [item for group in groups for item in group] == [b"statement", *files]
    assert all(1 <= len(group) <= GROUP_SIZE for group in groups)
    assert groups[0][0] == b"statement"
    for index, file in enumerate(files):
        assert file in groups[group_of(index)]
