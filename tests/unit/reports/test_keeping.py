"""No heading stands alone at the foot of a page, whatever it heads."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.blocks import Block, Commands, Document, Fact, Facts, Heading, Items, Paragraph, Table
from reports.layout import lay_out

LINE = "第三人提交的材料与登记的摘要一致。" * 4


def document(*blocks: Block) -> Document:
    return Document(
        title="",
        header=("", ""),
        footer="",
        page="{page}/{pages}",
        blocks=blocks,
        language="zh",
        watermark="",
    )


def facts(rows: int, lines: int) -> Facts:
    return Facts(rows=tuple(Fact(label="标签", value=("值",) * lines) for _ in range(rows)))


def alone(blocks: tuple[Block, ...]) -> list[str]:
    """Headings after which nothing else stands on their page, though something follows."""
    headings = [block.text for block in blocks[:-1] if isinstance(block, Heading)]
    found = []
    for page in lay_out(document(*blocks)):
        body = [op.text for op in page.reading_order() if op.text and 60 < op.y < 760]
        if body and body[-1] in headings:
            found.append(body[-1])
    return found


@pytest.mark.parametrize("fill", range(30, 52))
def test_two_headings_stay_with_a_block_that_needs_room(fill):
    blocks = (
        Items(items=("行",) * fill),
        Heading(text="二、检查明细", note="每项列出所运行的命令"),
        Heading(text="1．时钟", level=2),
        facts(2, 4),
    )
    assert alone(blocks) == []


HEADED = st.one_of(
    st.builds(facts, st.integers(1, 3), st.integers(1, 6)),
    st.builds(lambda n: Paragraph(text=LINE * n), st.integers(1, 8)),
    st.builds(lambda n: Commands(lines=("$ run",) * n), st.integers(1, 60)),
    st.builds(
        lambda n: Table(header=("a", "b"), weights=(1.0, 1.0), rows=((LINE * n, "b"),) * n), st.integers(1, 6)
    ),
)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.tuples(st.integers(1, 3), HEADED), min_size=1, max_size=8))
def test_no_heading_is_left_behind_and_nothing_is_lost_or_doubled(parts):
    blocks: list[Block] = []
    for number, (levels, headed) in enumerate(parts):
        blocks += [Heading(text=f"标题 {number}.{level}", level=min(2, level + 1)) for level in range(levels)]
        blocks.append(headed)
    made = tuple(blocks)
    assert alone(made) == []
    said = [op.text for page in lay_out(document(*made)) for op in page.texts]
    names = [block.text for block in made if isinstance(block, Heading)]
    assert [text for text in said if text in names] == names


def test_a_heading_without_anything_behind_it_is_printed():
    pages = lay_out(document(Heading(text="五、说明与限制")))
    assert "五、说明与限制" in [op.text for op in pages[0].texts]
