"""Small made-up corpus folders, and what lies in an index folder."""

import json
import zlib
from pathlib import Path
from typing import Any

from htxsearch import Index
from htxsearch.indexing.catalogue import Report

__all__ = ["Folders", "change_manifest", "lines", "strays"]

SUBJECTS = "chè cam quýt bưởi lúa ngô khoai sắn mía lạc vừng tôm cá bò lợn gà vịt ong nấm rau".split()


class Folders:
    """A corpus folder and an index folder beside it."""

    def __init__(self, root: Path) -> None:
        self.corpus = root / "corpus"
        self.index = root / "index"
        self.corpus.mkdir(parents=True)

    def write(self, name: str, title: str, body: str = "") -> Path:
        """Write a text file: a title line, then the body."""
        path = self.corpus / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{title}\n{body or f'Bà con trồng {title.lower()} rất giỏi.'}\n", encoding="utf-8")
        return path

    def write_lines(self, name: str, *rows: dict[str, Any]) -> Path:
        """Write a file of JSON lines."""
        path = self.corpus / name
        path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
        return path

    def write_some(self, count: int) -> None:
        """Write that many articles, "00.txt" and so on, each with a word that no other has."""
        for number in range(count):
            subject = SUBJECTS[number % len(SUBJECTS)]
            self.write(f"{number:02}.txt", f"Tổ trồng {subject} {number:02}", f"Hợp tác xã bán {subject} dấu{number:02} ở chợ.")

    def open(self) -> Index:
        return Index(self.index, corpus=self.corpus)

    def update(self, **options: Any) -> Report:
        """Reindex as a process of its own would: with an Index that is closed again."""
        with self.open() as index:
            return index.update(**options)

    def found(self, query: str, **options: Any) -> list[str]:
        """Return the ids of the articles found, best first."""
        with self.open() as index:
            return [hit.article_id for hit in index.search(query, **options).hits]

    def ids(self) -> list[str]:
        with self.open() as index:
            return index.article_ids()


def lines(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    """Return rows for JSON lines: an id and a title each, and a text about the title."""
    return [{"id": one, "title": title, "text": f"Xã viên bàn về {title.lower()}."} for one, title in pairs]


def change_manifest(index: Path, **values: Any) -> dict[str, Any]:
    """Write a manifest with other values, sound as it is; return it. None takes a value out."""
    manifest: dict[str, Any] = json.loads((index / "manifest.json").read_text("utf-8")) | values
    manifest = {name: value for name, value in manifest.items() if value is not None and name != "checksum"}
    text = json.dumps(manifest, sort_keys=True)
    (index / "manifest.json").write_text(json.dumps(manifest | {"checksum": zlib.crc32(text.encode())}), "utf-8")
    return manifest


def strays(index: Path) -> list[str]:
    """Return what lies in an index folder and is not part of a finished index."""
    manifest = json.loads((index / "manifest.json").read_text("utf-8"))
    data = index / manifest["data"]
    outside = {path.name for path in index.iterdir()} - {"manifest.json", "writer.lock", "last-run.json", data.name}
    names = {path.name for path in data.iterdir()}
    generation = max(int(name.split("_")[2].removesuffix(".toc")) for name in names if name.endswith(".toc"))
    with_place = {name for name in names if name.endswith((".seg", ".imp", f"-{generation}.blob"))}
    return sorted(outside | (names - with_place - {f"_MAIN_{generation}.toc", "MAIN_WRITELOCK"}))
