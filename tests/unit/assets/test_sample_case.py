"""The sample case: every file is there and readable, and the amounts and dates of all of them agree."""

import csv
import email
import email.policy
import hashlib
import io
import json
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from evidence_desk.core.statement import ExhibitKind

FOLDER = Path(__file__).parents[3] / "assets/sample_case"
CASE = json.loads((FOLDER / "case.json").read_text("utf-8"))
GENERATED = {item["path"]: item for item in CASE["generated"]}
BUYER = "云岚市沐禾饮品有限公司"
PAID = {"2026-03-16": Decimal(480_000), "2026-05-14": Decimal(640_000), "2026-06-24": Decimal(150_000)}


@pytest.fixture(scope="module")
def contract() -> str:
    document = pypdfium2.PdfDocument(FOLDER / "设备采购合同.pdf")
    text = "".join(page.get_textpage().get_text_range() for page in document)
    return re.sub(r"\s", "", text)


def test_every_exhibit_has_its_files():
    listed = set()
    for exhibit in CASE["exhibits"]:
        assert ExhibitKind(exhibit["kind"])
        assert exhibit["purpose"].startswith("证明")
        for name in exhibit["paths"]:
            path = FOLDER / name
            assert path.exists() or name in GENERATED
            files = path.rglob("*") if path.is_dir() else [path]
            listed |= {str(file.relative_to(FOLDER)) for file in files}
    assert listed == set(CASE["modified"])
    present = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    assert present - {"README.md", "case.json", ".gitattributes"} == listed - set(GENERATED)


def test_generated_file_has_the_announced_digest():
    item = GENERATED["安装验收录像.mp4"]
    head = bytes.fromhex(item["head_hex"])
    data = head + hashlib.shake_256(item["shake_256_seed"].encode()).digest(item["size"] - len(head))
    assert len(data) == 50 * 1024 * 1024
    assert hashlib.sha256(data).hexdigest() == item["sha256"]
    assert int.from_bytes(data[24:28], "big") == item["size"] - 24


def test_contract_names_the_parties_and_adds_up(contract):
    for party in CASE["parties"]:
        assert party["name"] in contract
        assert f"法定代表人：{party['representative']}" in contract
    assert 1_280_000 + 272_000 + 48_000 == 480_000 + 640_000 + 400_000 + 80_000 == 1_600_000
    for amount in ("1,280,000.00", "272,000.00", "48,000.00", "480,000.00", "640,000.00", "400,000.00",
                   "80,000.00", "1,600,000.00"):  # fmt: skip
        assert amount in contract


def test_balances_of_the_bank_statement_add_up():
    data = (FOLDER / "付款流水.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    balance = Decimal(rows[2][3])
    paid: dict[str, Decimal] = {}
    last = ""
    for date, time, _, _, party, _, income, outgo, shown, _ in rows[4:-1]:
        balance += Decimal(income or 0) - Decimal(outgo or 0)
        assert balance == Decimal(shown)
        assert f"{date} {time}" > last
        last = f"{date} {time}"
        if party == BUYER:
            paid[date] = Decimal(income)
    assert Decimal(rows[-1][8]) == balance
    assert paid == PAID
    assert sum(PAID.values()) == 1_270_000


def test_chat_agrees_in_both_forms_and_with_the_bank():
    text = (FOLDER / "聊天记录/聊天记录.txt").read_bytes().decode("utf-8")
    page = (FOLDER / "聊天记录/聊天记录.html").read_text("utf-8")
    messages = re.findall(r"^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)  (\S+)\r\n(.+)\r$", text, re.MULTILINE)
    assert f"消息数：{len(messages)}" in text
    assert [m[:2] for m in messages] == sorted(m[:2] for m in messages)
    in_page = re.findall(r'datetime="(\S+)T(\S+)\+08:00".*?class="text">(?:<span[^>]*>)?([^<]*)', page)
    assert in_page == [(date, time, said) for date, time, _, said in messages]
    assert set(PAID) <= {date for date, *_ in messages}


def test_mail_confirms_the_same_amounts():
    data = (FOLDER / "对账邮件.eml").read_bytes()
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert "LS-CG-2026-0312" in message["Subject"]
    body = message.get_content()
    for amount in ("1,600,000.00", "1,270,000.00", "250,000.00", "80,000.00"):
        assert amount in body


def test_photo_was_taken_on_the_day_of_delivery():
    with Image.open(FOLDER / "送货签收单照片.jpg") as photo:
        assert photo.format == "JPEG"
        taken = photo.getexif().get_ifd(0x8769)
    assert (FOLDER / "送货签收单照片.jpg").stat().st_size < 400_000
    moment = datetime.strptime(taken[0x9003], "%Y:%m:%d %H:%M:%S").replace(
        tzinfo=timezone(timedelta(hours=8))
    )
    assert moment == datetime.fromisoformat(CASE["modified"]["送货签收单照片.jpg"])
