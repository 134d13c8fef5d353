"""Hostile files: articles of the demo corpus in every format, mutated, among sound files.

Each file is read or rejected with a reason in both languages, the others are read as ever, and a second reindex finds nothing
to do. Of archives, members are mutated too, so that the harm reaches the reader inside.
"""

import io
import json
import random
import resource
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from unittest import mock

import openpyxl
from command import DEMO
from index.folders import Folders
from ingest import folder as formats

from htxsearch.errors.messages import LANGUAGES, render
from htxsearch.ingest import guard

from .outcome import Failed, Outcome

__all__ = ["prepare", "trial"]

CPU_S = 12
LONGEST_S = 10
"""Seconds of CPU that a file may take in the process that reads it."""

_ARTICLES: list[tuple[str, list[str]]] = []
_SOUND: list[Path] = []


def prepare(folder: Path, _seed: int) -> None:
    """Read the demo corpus, and load what a reindex needs."""
    if _ARTICLES:
        return
    for file in sorted(DEMO.rglob("*.txt")):
        title, *rest = [line for line in file.read_text("utf-8").splitlines() if line.strip()]
        _ARTICLES.append((title, rest))
    sound = Folders(folder / "hostile files")
    sound.write_some(3)
    sound.update()


def _xlsx(n: int) -> bytes:
    book, made = openpyxl.Workbook(), io.BytesIO()
    for line in formats.text(n).splitlines():
        book.worksheets[0].append([line, n, 3.5])
    book.save(made)
    return made.getvalue()


def _eml(n: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Ban quản trị <a@htx.example>", formats.TITLE.format(n=n)
    mail["Date"] = "Tue, 02 Mar 2021 08:00:00 +0700"
    mail.set_content("\n".join(formats.BODY))
    mail.add_attachment(formats.docx(n), maintype="application", subtype="octet-stream", filename="biên bản.docx")
    return mail.as_bytes()


FORMATS: dict[str, Callable[[int], bytes]] = {
    "pdf": formats.pdf,
    "docx": formats.docx,
    "odt": formats.odt,
    "epub": formats.epub,
    "xlsx": _xlsx,
    "rtf": formats.rtf,
    "html": formats.page,
    "mhtml": formats.mhtml,
    "eml": _eml,
    "zip": lambda n: formats.packed({"a.txt": formats.text(n), "b.docx": formats.docx(n), "c.html": formats.page(n)}),
    "jsonl": lambda n: "".join(formats.row(10 * n + each) for each in range(4)).encode(),
    "csv": lambda n: formats.table(n, ","),
    "md": lambda n: f"---\ntitle: Tin {n}\n---\n# {formats.text(n)}\n| a | b |\n|---|---|\n| 1 | 2 |\n".encode(),
    "txt": lambda n: formats.text(n).encode(),
}


# Mutations


def _bits(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 4, 32])):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _span(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data))
    return start, min(len(data), start + rng.choice([1, 8, 64, 512, 4096]))


def _deleted(data: bytes, rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _repeated(data: bytes, rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:end] + data[start:end] * min(rng.choice([2, 50, 2_000, 20_000]), 500_000 // (end - start)) + data[end:]


def _moved(data: bytes, rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    at = rng.randrange(len(data))
    return data[:at] + data[start:end] + data[at:]


def _replaced(data: bytes, rng: random.Random) -> bytes:
    """Put what readers stumble over in the place of a few bytes."""
    start, _ = _span(data, rng)
    sign = rng.choice(
        [b"\0" * 9, b"\xff\xfe", b"\xef\xbf\xbf", b"9" * 30, b"-1", b"<" * 300, b"&#0;", b"\\u-99999?", b"%00", b'"', b"]]>",
         b"<!ENTITY a '&a;'>", b"{\\rtf1" * 200, b"<div>" * 2_000, b"\r\n\r\n", b"1e999", b"..\\..\\x",
         "\u202e\u0301".encode() * 50]
    )  # fmt: skip
    return data[:start] + sign + data[start + rng.choice([0, len(sign)]) :]


def _numbers(data: bytes, rng: random.Random) -> bytes:
    """Change a number that is written in digits."""
    digits = [at for at, one in enumerate(data) if 48 <= one <= 57]
    if not digits:
        return data
    at = rng.choice(digits)
    return data[:at] + rng.choice([b"0", b"99999999", b"-7", b"4294967296"]) + data[at + 1 :]


_MUTATIONS = (
    _bits, _deleted, _repeated, _moved, _replaced, _replaced, _numbers,
    lambda data, rng: data[: rng.randrange(len(data))], lambda data, rng: data + rng.randbytes(rng.choice([1, 700])),
)  # fmt: skip


def _mutated(data: bytes, rng: random.Random, depth: int = 0) -> bytes:
    """Mutate a file, or if it is an archive mostly one of its members."""
    if data[:2] == b"PK" and depth < 2 and rng.random() < 0.75:
        members: dict[str, bytes | str] = {}
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            chosen = rng.choice(names)
            for name in names:
                content = archive.read(name)
                members[name] = _mutated(content, rng, depth + 1) if name == chosen and content else content
        return formats.packed(members)
    for _ in range(rng.choice([1, 1, 2, 4])):
        data = rng.choice(_MUTATIONS)(data, rng) or b"x"
    return data


def trial(seed: int, folder: Path) -> Outcome:
    """Read a mutated file among sound ones. Raises Failed."""
    rng = random.Random(seed)
    kind = list(FORMATS)[seed % len(FORMATS)]
    title, lines = rng.choice(_ARTICLES)
    with mock.patch.multiple(formats, TITLE=title.replace("{", "(").replace("}", ")"), BODY=tuple(lines[:12])):
        data = _mutated(FORMATS[kind](seed), rng)
    folders = Folders(folder)
    folders.write_some(2)
    name = f"giữa.{rng.choice(list(FORMATS)) if rng.random() < 0.05 else kind}"
    (folders.corpus / name).write_bytes(data)
    folders.write_lines("z.jsonl", {"id": "cuối", "title": "Tổ cuối", "text": "Hợp tác xã bán hạt sen."})
    report = folders.update()
    for rejected in report.rejected:
        for language in LANGUAGES:
            if len(render(rejected.reason, language)) < 5:
                raise Failed("wrong", f"{kind}: rejected without a reason: {rejected}")
        if rejected.reason.code == "file.reader-failed":
            raise Failed("traceback", f"{kind}: {render(rejected.reason, 'en')}")
    with folders.open() as index:
        ids = index.article_ids()
        if not {"00.txt", "01.txt", "cuối"} <= {*ids} or (report.added == 3 and not report.rejected):
            raise Failed("lost", f"{kind}: {ids}, {report.rejected}")
        for one in ids:
            json.dumps(index.show(one).as_json(), ensure_ascii=False).encode()
            index.dropped(one)
        if "cuối" not in [hit.article_id for hit in index.search("hạt sen").hits]:
            raise Failed("lost", f"{kind}: a neighbour is not found")
    again = folders.update()
    if (again.added, again.changed, again.removed) != (0, 0, 0):
        raise Failed("wrong", f"{kind}: read otherwise the second time")
    guard._end_idle()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if used.ru_utime + used.ru_stime > LONGEST_S:
        raise Failed("hung", f"{kind}: {used.ru_utime + used.ru_stime:.0f} s of CPU")
    return Outcome(detail=kind, peak_mb=used.ru_maxrss / 1024)
