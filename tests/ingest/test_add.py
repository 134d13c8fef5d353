"""Adding things to a corpus: files, folders, text, pages, feeds, sitemaps."""

import json
import os
import re
import sys
import tomllib
import unicodedata
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import pytest
from web import Answer, Site, running

from htxsearch import Index
from htxsearch.errors import CorpusError, IndexBusy, UsageError
from htxsearch.errors.messages import message
from htxsearch.indexing.catalogue import Additions
from htxsearch.indexing.manifest import adding_lock, writer_lock
from htxsearch.ingest.add import safe_name
from htxsearch.ingest.fetch import Fetcher, Limits
from htxsearch.ingest.readers.budget import Budget

LIMITS = Limits(connect_s=2, read_s=1, total_s=3, delay_s=0)


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index(tmp_path / "index", corpus=tmp_path / "corpus") as index:
        yield index


def page(words: str) -> bytes:
    sentence = f"Hợp tác xã {words} đã họp đại hội thành viên và bàn kế hoạch sản xuất của năm sau. "
    head = f"<!doctype html><html><head><title>{words}</title></head>"
    return f"{head}<body><article><h1>{words}</h1><p>{sentence * 4}</p></article></body></html>".encode()


def feed(*urls: str) -> bytes:
    items = "".join(f"<item><title>t</title><link>{url}</link></item>" for url in urls)
    return f"<rss version='2.0'><channel><title>Tin xã</title>{items}</channel></rss>".encode()


def sitemap(root: str, **lastmod: str) -> bytes:
    entries = "".join(f"<url><loc>{root}/{name}</loc><lastmod>{day}</lastmod></url>" for name, day in lastmod.items())
    return f"<urlset>{entries}</urlset>".encode()


def add(index: Index, *sources: str | Path, **more: Any) -> Additions:
    return index.add(*sources, fetcher=Fetcher(allow_private=True, limits=LIMITS), **more)


def follow(index: Index, **more: Any) -> Additions:
    return index.follow(fetcher=Fetcher(allow_private=True, limits=LIMITS), **more)


def metadata_of(index: Index, path: str) -> dict[str, Any]:
    return tomllib.loads((index.corpus / f"{path}.meta.toml").read_text("utf-8"))


def kinds(found: Additions) -> list[str]:
    return [one.how for one in found.taken]


def test_a_file_is_kept_byte_for_byte_and_found(index: Index, tmp_path: Path) -> None:
    file = tmp_path / "chè.txt"
    file.write_bytes("\ufeffChè Tân Cương\r\n\r\nHợp tác xã thu hoạch chè.\r\n".encode())
    found = add(index, file)
    assert [(one.path, one.how) for one in found.taken] == [("chè.txt", "added")]
    assert (index.corpus / "chè.txt").read_bytes() == file.read_bytes()
    assert "time" in metadata_of(index, "chè.txt")["fetched"]
    assert index.search("thu hoạch chè").total == 1
    assert found.report is not None
    assert found.report.added == 1


def test_what_was_added_is_on_disk_before_it_is_in_place(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a loss of power afterwards loses nothing: the files, their names, and the new folders."""
    synced: list[int] = []
    placed: dict[str, bool] = {}
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def watched_replace(source: Path, target: Path) -> None:
        placed[Path(target).name] = os.stat(source).st_ino in synced
        replace(source, target)

    (tmp_path / "tin").mkdir()
    (tmp_path / "tin" / "a.txt").write_text("Tổ đan lưới\nHọp tổ.\n", "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", watched_fsync)
        patch.setattr(os, "replace", watched_replace)
        add(index, tmp_path / "tin")
    assert placed["a.txt"]
    assert placed["a.txt.meta.toml"]
    folders = (index.corpus / "tin", index.corpus, index.corpus.parent, index.path)
    assert {folder.stat().st_ino for folder in folders} <= {*synced}


def test_the_same_content_is_not_added_twice(index: Index, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("Hợp tác xã trồng lúa.")
    found = add(index, tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "a.txt")
    assert [(one.path, one.how) for one in found.taken] == [("a.txt", "added"), ("a.txt", "same"), ("a.txt", "same")]
    assert kinds(add(index, tmp_path / "b.txt", index.corpus / "a.txt")) == ["same", "same"]


def test_names_collide_without_loss_and_a_new_version_replaces(index: Index, tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tin.txt").write_text(f"Hợp tác xã {folder} trồng lúa.")
    found = add(index, tmp_path / "x/tin.txt", tmp_path / "y/tin.txt")
    assert [one.path for one in found.taken] == ["tin.txt", "tin-2.txt"]
    (tmp_path / "x/tin.txt").write_text("Hợp tác xã x nuôi cá.")
    found = add(index, tmp_path / "x/tin.txt")
    assert [(one.path, one.how) for one in found.taken] == [("tin.txt", "updated")]
    assert "nuôi cá" in (index.corpus / "tin.txt").read_text()


def test_a_folder_is_added_with_its_tree_and_metadata_files(index: Index, tmp_path: Path) -> None:
    inside = tmp_path / "Lưu trữ" / "2020"
    inside.mkdir(parents=True)
    (inside / "a.txt").write_text("Hợp tác xã trồng lúa.")
    (inside / "a.txt.meta.toml").write_text('# của tôi\nplace = "Hải Phòng"\n')
    (inside / "b.exe").write_bytes(b"MZ")
    (inside / ".hidden.txt").write_text("ẩn")
    found = add(index, tmp_path / "Lưu trữ", metadata={"source": "Báo xã"})
    assert [one.path for one in found.taken] == ["Lưu trữ/2020/a.txt"]
    assert [(one.path, ".exe" in str(one.reason)) for one in found.refused] == [(str(inside / "b.exe"), True)]
    article = index.show("Lưu trữ/2020/a.txt").article
    assert (article.place, article.source) == ("Hải Phòng", "Báo xã")
    assert "# của tôi" in (index.corpus / "Lưu trữ/2020/a.txt.meta.toml").read_text("utf-8")


def test_sources_that_cannot_be_added_are_refused_with_a_reason(index: Index, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = add(index, tmp_path / "no.txt", "ftp://a.vn/x", "http://u:p@a.vn/", tmp_path, tmp_path / "empty", "nul\0.txt")
    reasons = [str(one.reason) for one in found.refused]
    assert len(reasons) == 6
    for word, reason in zip(
        ["no such file", "only http", "password", "it contains the corpus", "no file in it", "no such file"],
        reasons,
        strict=True,
    ):
        assert word in reason


def test_by_default_nothing_private_is_fetched(index: Index, site: Site) -> None:
    found = index.add(site.page("/", page("chè")))
    assert "--allow-private" in str(found.refused[0].reason)
    assert site.asked == []


def test_text_is_added_with_its_metadata(index: Index) -> None:
    metadata = {"title": 'Chè "ngon"\\', "date": "26/06/2020", "place": "thai nguyen", "source": "Báo xã"}
    found = add(index, text="Hợp tác xã bán chè.".encode(), metadata=metadata)
    [one] = found.taken
    article = index.show(one.path).article
    assert (article.title, str(article.date), article.source) == ('Chè "ngon"\\', "2020-06-26", "Báo xã")
    assert article.place == "Thái Nguyên"
    assert add(index, text=b" \n").refused[0].reason == message("file.empty")
    assert add(index, text=page("lúa")).taken[0].path.endswith(".html")


def test_invalid_options_are_refused_before_anything_is_added(index: Index, tmp_path: Path) -> None:
    for wish in ({"metadata": {"date": "hôm qua"}}, {"metadata": {"title": "x"}, "text": b"x"}, {"limit": 0}):
        with pytest.raises(UsageError):
            add(index, "a.txt", **wish)
    with pytest.raises(UsageError, match="in each other"):
        Index(tmp_path / "c" / "index", corpus=tmp_path / "c").add(text=b"x")
    assert not index.corpus.exists()


def test_a_page_is_kept_with_where_and_when(index: Index, site: Site) -> None:
    url = site.page("/tin/che-ngon.html", page("chè ngon"), ETag='"1"', Last_Modified="Mon, 01 Jun 2020 00:00:00 GMT")
    found = add(index, url)
    [one] = found.taken
    assert one.path.startswith("web/127.0.0.1/che-ngon-")
    assert (index.corpus / one.path).read_bytes() == page("chè ngon")
    about = metadata_of(index, one.path)
    assert about["url"] == url
    assert about["source"] == "127.0.0.1"
    assert about["crawled"] == about["fetched"]["time"].date()
    assert about["fetched"]["etag"] == '"1"'
    assert about["fetched"]["type"] == "text/html"
    article = index.show(one.path).article
    assert article.url == url
    assert article.crawled == about["crawled"]


def test_a_page_is_fetched_again_only_if_it_changed(index: Index, site: Site) -> None:
    url = site.page("/tin", page("chè"), ETag='"1"')
    [first] = add(index, url).taken
    assert kinds(add(index, url)) == ["same"]
    assert site.asked[-1][1]["If-None-Match"] == '"1"'
    file = index.corpus / f"{first.path}.meta.toml"
    file.write_text('# tôi sửa\nplace = "Hải Phòng"\n' + file.read_text("utf-8"), "utf-8")
    site.page("/tin", page("lúa"), ETag='"2"')
    assert [(one.path, one.how) for one in add(index, url).taken] == [(first.path, "updated")]
    assert "lúa" in index.show(first.path).article.body
    assert index.show(first.path).article.place == "Hải Phòng"
    assert file.read_text("utf-8").startswith("# tôi sửa")
    assert metadata_of(index, first.path)["fetched"]["etag"] == '"2"'


def test_a_metadata_file_stays_valid_however_the_user_writes_it(index: Index, site: Site) -> None:
    url = site.page("/tin", page("chè"))
    [first] = add(index, url).taken
    file = index.corpus / f"{first.path}.meta.toml"
    mine = '"title" = """\nChè\nsource = cũ\n"""\nplace = "Hải Phòng"\ndate = 2020-02-03\n'
    file.write_text(mine + file.read_text("utf-8"), "utf-8")
    site.page("/tin", page("lúa"))
    assert add(index, url, metadata={"source": "Báo xã"}).refused == ()
    about = metadata_of(index, first.path)
    assert (about["title"], about["source"], str(about["date"])) == ("Chè\nsource = cũ\n", "Báo xã", "2020-02-03")
    site.page("/tin", page("khoai"))
    add(index, url, metadata={"title": "Khoai"})
    assert metadata_of(index, first.path)["title"] == "Khoai"
    assert index.show(first.path).article.place == "Hải Phòng"


FOREIGN = """\
# của tôi
place = "Hải Phòng"   # chỗ\r
"source" = 'Bản tin xóm'

# bảng riêng
[mine]
title = "không phải tít"
note = \"\"\"
[fetched]
time = 1
\"\"\"
  [mine.more]
  share = 1.50
"""


def test_tables_of_the_users_stay_as_written_and_take_no_keys(index: Index, tmp_path: Path) -> None:
    (tmp_path / "tin.txt").write_text("Hợp tác xã trồng lúa.")
    (tmp_path / "tin.txt.meta.toml").write_bytes(FOREIGN.encode())
    for text, title in (("trồng lúa", "Lúa"), ("nuôi cá", "Cá")):
        (tmp_path / "tin.txt").write_text(f"Hợp tác xã {text}.")
        [one] = add(index, tmp_path / "tin.txt", metadata={"title": title, "source": "Báo xã"}).taken
        written = (index.corpus / f"{one.path}.meta.toml").read_bytes().decode()
        assert FOREIGN.replace("'Bản tin xóm'", '"Báo xã"') in written
        about = tomllib.loads(written)
        assert about.keys() == {"title", "place", "source", "mine", "fetched"}
        assert (about["title"], about["source"], about["mine"]["title"]) == (title, "Báo xã", "không phải tít")
        assert about["fetched"].keys() == {"time", "from"}


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        (b"title = ", "its metadata file tin.txt.meta.toml is not valid TOML: "),
        (b"place = 'caf\xe9'", "its metadata file tin.txt.meta.toml is not valid TOML: "),
        (b"[title]\nlong = 'x'", "its metadata file tin.txt.meta.toml cannot be changed without loss"),
        (b"fetched = 5", "its metadata file tin.txt.meta.toml cannot be changed without loss"),
        (b"[[fetched]]\nx = 5", "its metadata file tin.txt.meta.toml cannot be changed without loss"),
    ],
)
def test_a_metadata_file_that_cannot_be_changed_is_a_reason_to_refuse(
    index: Index, tmp_path: Path, theirs: bytes, reason: str
) -> None:
    (tmp_path / "tin.txt").write_text("Hợp tác xã trồng lúa.")
    (tmp_path / "tin.txt.meta.toml").write_bytes(theirs)
    found = add(index, tmp_path / "tin.txt", metadata={"title": "Lúa"})
    assert found.taken == ()
    assert [str(one.reason).startswith(reason) for one in found.refused] == [True]
    assert not list(index.corpus.glob("tin*"))


@pytest.mark.parametrize(
    ("kind", "headers", "suffix"),
    [
        ("text/plain", {}, ".txt"),
        ("application/xhtml+xml", {}, ".html"),
        ("application/octet-stream", {"Content-Disposition": 'attachment; filename="../../../x.md"'}, ".md"),
        ("text/plain", {"Content-Disposition": "attachment; filename*=UTF-8''b%C3%A1o.md"}, ".md"),
    ],
)
def test_the_type_decides_the_suffix_and_no_name_leaves_the_corpus(
    index: Index, site: Site, tmp_path: Path, kind: str, headers: dict[str, str], suffix: str
) -> None:
    more = {name.replace("-", "_"): value for name, value in headers.items()}
    url = site.page("/..%2f..%2f..%2ftin%00", page("chè") if "xhtml" in kind else "Hợp tác xã chè.".encode(), kind, **more)
    [one] = add(index, url).taken
    assert one.path.endswith(suffix)
    assert (index.corpus / one.path).resolve().is_relative_to(index.corpus.resolve())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["corpus", "index"]


@pytest.mark.parametrize("kind", ["image/png", "video/mp4", "application/octet-stream", "application/xml"])
def test_other_types_are_refused(index: Index, site: Site, kind: str) -> None:
    found = add(index, site.page("/x", b"\x89PNG", kind), site.page("/empty", b"", "text/html"))
    assert kind in str(found.refused[0].reason)
    assert found.refused[1].reason == message("fetch.nothing-sent")
    assert not found.taken


def test_a_feed_is_taken_in_remembered_and_followed(index: Index, site: Site) -> None:
    for name in "abc":
        site.page(f"/{name}", page(f"làng {name}"))
    url = site.page("/rss", feed(f"{site.root}/a", "/b"), "application/rss+xml", ETag='"1"')
    assert kinds(add(index, url)) == ["followed", "added", "added"]
    assert [(one.url, one.title, len(one.seen)) for one in index.feeds()] == [(url, "Tin xã", 2)]
    site.asked.clear()
    assert follow(index).taken == ()
    assert site.paths() == ["/rss"]
    site.page("/rss", feed(f"{site.root}/c", f"{site.root}/a", f"{site.root}/b"), "application/rss+xml", ETag='"2"')
    site.asked.clear()
    assert kinds(follow(index)) == ["followed", "added"]
    assert site.paths() == ["/rss", "/c"]
    report = index.update()
    assert report.added == 1
    assert not report.rejected, "feeds.toml is no article"


def test_the_day_of_a_feed_is_that_of_a_page_without_one(index: Index, site: Site) -> None:
    """The page's own day goes before, and so does one that the user gives."""
    site.page("/khong", page("bản xa"))
    dated = page("bản gần").replace(b"<p>", '<p class="date">Thứ Hai, 09/11/2020</p><p>'.encode(), 1)
    site.page("/co", dated)
    items = "".join(
        f"<item><link>{site.root}/{name}</link><pubDate>Sat, 28 Nov 2020 10:00:00 +0700</pubDate></item>"
        for name in ("khong", "co")
    )
    rss = f"<rss version='2.0'><channel><title>Tin</title>{items}</channel></rss>".encode()
    add(index, site.page("/rss", rss, "text/xml"))
    days = {one.rpartition("/")[2].partition("-")[0]: index.show(one).article.date for one in index.article_ids()}
    assert days == {"khong": date(2020, 11, 28), "co": date(2020, 11, 9)}


def test_a_feed_is_forgotten_by_command_or_by_hand(index: Index, site: Site) -> None:
    first, second = site.page("/1", feed(), "text/xml"), site.page("/2", feed(), "text/xml")
    add(index, first, second)
    index.forget_feed(first)
    assert [one.url for one in index.feeds()] == [second]
    with pytest.raises(UsageError, match="not followed"):
        index.forget_feed(first)
    (index.corpus / "feeds.toml").write_text("[[feed]]\nurl = 3\n[[feed]]\n")
    with pytest.raises(CorpusError, match=r"feeds\.toml"):
        index.feeds()
    (index.corpus / "feeds.toml").unlink()
    assert index.feeds() == ()


def test_pages_refused_for_now_are_tried_again_and_missing_ones_are_not(index: Index, site: Site) -> None:
    site.answers["/late"] = [Answer(status=500), Answer(page("muộn"), headers={"Content-Type": "text/html"})]
    urls = [f"{site.root}/late", f"{site.root}/gone", "http://u:p@a.vn/"]
    found = add(index, site.page("/rss", feed(*urls), "text/xml", ETag='"1"'))
    assert len(found.refused) == 3
    site.asked.clear()
    found = follow(index)
    assert kinds(found) == ["followed", "added"]
    assert not found.refused
    assert site.paths() == ["/rss", "/late"]


def test_the_limit_holds_and_the_rest_comes_next_time(index: Index, site: Site) -> None:
    for number in range(5):
        site.page(f"/{number}", page(f"số {number}"))
    url = site.page("/rss", feed(*(f"{site.root}/{number}" for number in range(5))), "text/xml", ETag='"1"')
    assert kinds(add(index, url, limit=3)) == ["followed", *["added"] * 3]
    assert kinds(follow(index, limit=3)) == ["followed", *["added"] * 2]
    assert follow(index).taken == ()


def test_a_sitemap_says_which_pages_changed(index: Index, site: Site) -> None:
    site.page("/a", page("chè"))
    site.page("/b", page("lúa"))
    url = site.page("/sitemap.xml", sitemap(site.root, a="2020-01-01", b="2020-01-02"), "application/xml")
    assert kinds(add(index, url)) == ["followed", "added", "added"]
    site.page("/a", page("chè mới"))
    site.page("/sitemap.xml", sitemap(site.root, a="2020-02-01", b="2020-01-02"), "application/xml")
    site.asked.clear()
    assert kinds(follow(index)) == ["followed", "updated"]
    assert site.paths() == ["/sitemap.xml", "/a"]


def test_an_index_of_sitemaps_is_followed_one_step(index: Index, site: Site) -> None:
    import gzip

    site.page("/a", page("chè"))
    site.page("/1.xml.gz", gzip.compress(sitemap(site.root, a="2020-01-01")), "application/gzip")
    listed = "".join(f"<sitemap><loc>{site.root}{path}</loc></sitemap>" for path in ("/1.xml.gz", "/index.xml", "/none"))
    url = site.page("/index.xml", f"<sitemapindex>{listed}</sitemapindex>".encode(), "application/xml")
    found = add(index, url)
    assert kinds(found) == ["followed", "added"]
    assert [one.path for one in found.refused] == [f"{site.root}/index.xml", f"{site.root}/none"]


def test_stopping_keeps_the_files_added_so_far(index: Index, site: Site) -> None:
    for name in "abc":
        site.page(f"/{name}", page(f"làng {name}"))
    url = site.page("/rss", feed(*(f"{site.root}/{name}" for name in "abc")), "text/xml")

    def stop(source: str) -> None:
        if source.endswith("/b"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add(index, url, seen=stop)
    assert [len(one.seen) for one in index.feeds()] == [1]
    assert index.update().added == 1
    assert kinds(follow(index)) == ["followed", "added", "added"]


def test_a_corpus_that_cannot_be_written_raises_an_error(index: Index) -> None:
    index.corpus.write_text("a file")
    with pytest.raises(CorpusError):
        add(index, text=b"x")


@pytest.mark.parametrize(
    ("name", "tidied"),
    [
        ("../../etc/passwd", "-.-etc-passwd"),
        (".an.txt", "an.txt"),
        ("a\x00b\n\u202e.txt", "a-b-.txt"),
        ("CON.txt", "_CON.txt"),
        ("tin?*.html", "tin-.html"),
        ("", "unnamed"),
        ("che\u0300.txt", "chè.txt"),
        ("đ" * 300 + ".txt", "đ" * 75 + ".txt"),
    ],
)
def test_names_are_made_safe(name: str, tidied: str) -> None:
    assert safe_name(name) == tidied
    assert safe_name(tidied) == tidied


def test_the_users_comments_on_feeds_stay(index: Index, site: Site) -> None:
    first, second, third = (site.page(f"/{number}", feed(), "text/xml") for number in range(3))
    add(index, first, second)
    file = index.corpus / "feeds.toml"
    file.write_text(f"# của tôi\n{file.read_text('utf-8')}# sau cùng\n", "utf-8")
    add(index, third)
    index.forget_feed(first)
    text = file.read_text("utf-8")
    assert text.startswith("# của tôi\n")
    assert "# sau cùng" in text
    assert [one.url for one in index.feeds()] == [second, third]


def test_the_error_of_a_busy_index_names_the_added_files(index: Index, tmp_path: Path) -> None:
    (tmp_path / "chè.txt").write_text("Đồi chè. Xóm Núi có ba mươi hộ trồng chè.", "utf-8")
    index.corpus.mkdir()
    index.update()
    with writer_lock(index.path), pytest.raises(IndexBusy, match=r"kept in .*corpus meanwhile: "):
        index.add(tmp_path / "chè.txt")
    assert index.update().added == 1


def test_files_that_were_sent_keep_their_last_name_and_replace_nothing(index: Index, tmp_path: Path) -> None:
    (tmp_path / "held").write_text("Hợp tác xã trồng lúa.", "utf-8")
    (tmp_path / "other").write_text("Hợp tác xã nuôi cá.", "utf-8")
    found = index.add(sent=[("../../tin.txt", tmp_path / "held"), ("C:\\x\\tin.txt", tmp_path / "other")])
    assert [(one.source, one.path, one.how) for one in found.taken] == [
        ("tin.txt", "tin.txt", "added"),
        ("tin.txt", "tin-2.txt", "added"),
    ]
    assert list(metadata_of(index, "tin.txt")["fetched"]) == ["time"]
    with pytest.raises(UsageError, match="one title"):
        index.add(sent=[("a", tmp_path / "held"), ("b", tmp_path / "other")], metadata={"title": "Một"})


def test_a_metadata_file_is_not_added_as_an_article(index: Index, tmp_path: Path) -> None:
    """A metadata file is valid TOML and may have the signature of a PDF all the same."""
    for name in ("tin.txt.meta.toml", "feeds.toml", "Tin.Meta.TOML"):
        (tmp_path / name).write_bytes(b'# %PDF-1.7\nplace = "Sai"\n')
        [refused] = add(index, tmp_path / name).refused
        assert refused.reason == message("file.name-not-an-article", name=name)
    assert not index.corpus.exists()


def test_two_never_add_at_once(index: Index, tmp_path: Path) -> None:
    (tmp_path / "tin.txt").write_text("Hợp tác xã trồng lúa.", "utf-8")
    with adding_lock(index.path), pytest.raises(IndexBusy, match="another htxsearch is adding"):
        add(index, tmp_path / "tin.txt")
    assert not index.corpus.exists()
    assert kinds(add(index, tmp_path / "tin.txt")) == ["added"]


def test_nothing_that_comes_from_others_takes_an_articles_id(index: Index, site: Site, tmp_path: Path) -> None:
    """Of two articles with one id the first by path would keep it."""
    index.corpus.mkdir()
    (index.corpus / "mía.txt").write_text("Mía thật.", "utf-8")
    (index.corpus / unicodedata.normalize("NFD", "chè.txt")).write_text("Chè thật.", "utf-8")
    ids = ("lúa.txt", "a.csv:1", "b.zip/a.txt")
    lines = "".join(json.dumps({"id": one, "text": "Bài thật."}) + "\n" for one in ids)
    (index.corpus / "z.jsonl").write_text(lines, "utf-8")
    index.update()
    rows = {"a.jsonl": '{"id": "mía.txt", "text": "Giả."}\n', "a.csv": "id,text\n1,Giả.\n"}
    for name, text in rows.items():
        (tmp_path / name).write_text(text, "utf-8")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x.jsonl", rows["a.jsonl"])
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("a.txt", "Gói giả.")
    sent = {
        name: add(index, from_others=True, sent=[(name, tmp_path / name)]) for name in ("a.jsonl", "a.csv", "a.zip", "b.zip")
    }
    for name in ("a.jsonl", "a.csv", "a.zip", "b.zip"):
        [refused] = sent[name].refused
        assert re.fullmatch(r"its id '.*' is taken by (mía.txt|z.jsonl); give one of them another", str(refused.reason)), name
    url = site.page("/rows", rows["a.jsonl"].encode(), "application/jsonl")
    assert "is taken by mía.txt" in str(add(index, url, from_others=True).refused[0].reason)
    assert add(index, text=b"Sai.", metadata={"title": "lúa"}, from_others=True).taken[0].path == "lúa-2.txt"
    for name in ("chè.txt", "mía.txt"):
        (tmp_path / "held").write_text(f"{name} giả.", "utf-8")
        assert add(index, from_others=True, sent=[(name, tmp_path / "held")]).taken[0].path == name.replace(".", "-2.")
    for rebuild in (False, True):
        index.update(rebuild=rebuild)
        assert all("thật" in index.show(one).article.body for one in ("mía.txt", "chè.txt", *ids))
    again = add(index, from_others=True, sent=[("khác.jsonl", index.corpus / "z.jsonl")])
    assert kinds(again) == ["same"]
    own = site.page("/own", b'{"id": "1", "text": "M\xe1\xbb\x99t."}\n', "application/jsonl")
    assert kinds(add(index, own, from_others=True)) == ["added"]
    site.page("/own", b'{"id": "1", "text": "Hai."}\n', "application/jsonl")
    assert kinds(add(index, own, from_others=True)) == ["updated"]
    assert index.show("1").article.body == "Hai."


@pytest.mark.parametrize("taken", [True, False])
def test_the_ids_in_an_archive_from_others_are_read_by_another_process(
    index: Index, tmp_path: Path, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.corpus.mkdir()
    (index.corpus / "mía.txt").write_text("Mía thật.", "utf-8")
    index.update()
    with zipfile.ZipFile(tmp_path / "gói.zip", "w") as archive:
        archive.writestr("x.jsonl", json.dumps({"id": "mía.txt" if taken else "ngô.txt", "text": "Mía."}) + "\n")

    def read_here(*_: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr("htxsearch.ingest.corpus.read_articles", read_here)
    found = add(index, from_others=True, sent=[("gói.zip", tmp_path / "gói.zip")])
    assert (len(found.refused), kinds(found)) == ((1, []) if taken else (0, ["added"]))


@pytest.mark.skipif(sys.platform != "linux", reason="the system has no such limits")
def test_an_archive_from_others_that_costs_too_much_is_refused(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.corpus.mkdir()
    (index.corpus / "mía.txt").write_text("Mía thật.", "utf-8")
    index.update()
    with zipfile.ZipFile(tmp_path / "gói.zip", "w") as archive:
        archive.writestr("x.txt", "Mía của bản. " * 300_000)
    monkeypatch.setattr(Budget, "for_file", staticmethod(lambda size: Budget(memory=0, seconds=60, size=size)))
    [refused] = add(index, from_others=True, sent=[("gói.zip", tmp_path / "gói.zip")]).refused
    assert refused.reason.code == "file.budget-memory"
    assert not (index.corpus / "gói.zip").exists()
    assert index.show("mía.txt").article.body == "Mía thật."
