"""When articles entered an index: kept by changes and rebuilds, and never the same for two commits."""

import json
from pathlib import Path

import pytest

from htxsearch.errors import UsageError
from htxsearch.indexing.arrivals import Arrivals, read_arrivals
from htxsearch.search.newest import moment

from .folders import Folders


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path)
    made.write("chè.txt", "Đồi chè")
    made.update()
    made.write("cam.txt", "Vườn cam")
    made.update()
    return made


def stamps(folders: Folders) -> dict[str, tuple[int, int]]:
    with folders.open() as index:
        listing = index.searcher().snapshot.listing
        return {one: (listing[one].entered, listing[one].changed) for one in listing.select()}


def test_each_commit_has_a_later_stamp(folders: Folders) -> None:
    found = stamps(folders)
    assert list(found) == ["cam.txt", "chè.txt"], "newest first"
    assert found["cam.txt"][0] > found["chè.txt"][0]


def test_a_change_has_a_stamp_of_its_own(folders: Folders) -> None:
    before = stamps(folders)
    folders.write("chè.txt", "Đồi chè", "Nay đã khác hẳn.")
    folders.update()
    after = stamps(folders)
    assert after["chè.txt"][0] == before["chè.txt"][0]
    assert after["chè.txt"][1] > before["cam.txt"][1]
    assert after["cam.txt"] == before["cam.txt"]


def test_a_rebuild_keeps_the_stamps(folders: Folders) -> None:
    before = stamps(folders)
    folders.update(rebuild=True)
    assert stamps(folders) == before


@pytest.mark.parametrize("version", ["format", "analysis"])
def test_a_rebuild_of_an_older_index_keeps_the_stamps(folders: Folders, version: str) -> None:
    before = stamps(folders)
    manifest = folders.index / "manifest.json"
    values = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(json.dumps({**values, version: values[version] - 1}), "utf-8")
    folders.update(rebuild=True)
    assert stamps(folders) == before


def test_an_article_that_was_removed_is_forgotten(folders: Folders) -> None:
    (folders.corpus / "cam.txt").unlink()
    folders.update(allow_removals=True)
    assert list(stamps(folders)) == ["chè.txt"]


@pytest.mark.parametrize("rebuild", [False, True])
def test_the_stamp_of_an_article_that_was_removed_is_not_given_again(folders: Folders, rebuild: bool) -> None:
    def latest() -> int:
        with folders.open() as index:
            return index.searcher().snapshot.listing.last_stamp()

    before = latest()
    (folders.corpus / "cam.txt").unlink()
    folders.update(allow_removals=True, rebuild=rebuild)
    assert latest() == before
    folders.write("mía.txt", "Ruộng mía")
    folders.update()
    assert stamps(folders)["mía.txt"][0] == latest() > before


def test_articles_of_an_older_program_are_listed_without_stamps(folders: Folders) -> None:
    with folders.open() as index:
        engine = index.searcher().snapshot.engine

        class Older:
            article_ids, records, counts = engine.article_ids, engine.records, engine.counts

            def blob(self, _: str) -> bytes | None:
                return None

        rows = read_arrivals(Older()).rows  # type: ignore[arg-type]
        assert {one: row.entered for one, row in rows.items()} == {"cam.txt": 0, "chè.txt": 0}
        assert rows["cam.txt"].title == "Vườn cam"
        blobs = Arrivals(Older(), clock=lambda: 5).blobs()  # type: ignore[arg-type]
        assert set(json.loads(blobs["arrivals"])) == {"cam.txt", "chè.txt"}


def test_lists_are_narrowed(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    rows = [
        {"id": "a", "title": "Chè", "text": "Bà con hái chè.", "date": "2023-05-01", "place": "Bắc Kạn", "source": "Báo A"},
        {"id": "b", "title": "Cam", "text": "Bà con hái cam.", "date": "2023-06-01", "place": "Thái Nguyên", "source": "Báo B"},
        {"id": "c", "title": "Lúa", "text": "Bà con gặt lúa."},
    ]
    folders.write_lines("all.jsonl", *rows)
    folders.update()
    with folders.open() as index:
        listing = index.searcher().snapshot.listing
    assert listing.select(order="date") == ["b", "a", "c"]
    assert listing.select(month="2023-05") == ["a"]
    assert listing.select(month="2023") == ["b", "a"]
    assert listing.select(source=("Báo B",)) == ["b"]
    assert set(listing.select(place=("Thái Nguyên",))) == {"a", "b"}, "the province of today has the old one"
    assert listing.select(lacks="date") == ["c"]
    assert listing.select(lacks="place") == ["c"]
    assert listing.select(among={"a"}) == ["a"]
    assert listing.select(since=listing.last_stamp() + 1) == []
    assert listing.months == {"2023-06": 1, "2023-05": 1}
    assert (listing.undated, listing.unplaced) == (1, 1)


def test_moments_are_read() -> None:
    assert moment("1700000000") == 1700000000
    assert moment("2023-11-14T22:13:20+00:00") == 1700000000
    assert moment("2023-11-14T22:13:20 00:00") == 1700000000, "a plus in an address is a space"
    assert moment("2023-11-15") < moment("2023-11-16")
    for bad in ("", "hôm qua", "2023-13-01"):
        with pytest.raises(UsageError):
            moment(bad)
