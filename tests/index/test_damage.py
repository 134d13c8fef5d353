"""Whatever happens to the index's files, what one gets is an answer or the command that mends it."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from htxsearch.errors import HtxError, IndexFailure

from .folders import Folders, strays

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("failures_collected"),
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """A finished index of two segments, with a learnt abbreviation, and what it answers."""
    folders = Folders(tmp_path_factory.mktemp("sound"))
    folders.write_some(8)
    folders.write("10.txt", "Trồng rừng", "Quỹ Khuyến khích Trồng rừng (KKTR) họp ở xã. Hợp tác xã góp vốn.")
    folders.update()
    (folders.corpus / "03.txt").unlink()
    folders.write("04.txt", "Tổ nuôi ong", "Hợp tác xã bán mật ong rừng.")
    folders.update()
    return folders, ask(folders)


def ask(folders: Folders) -> dict[str, Any]:
    """Return what an index answers to a little of everything."""
    with folders.open() as index:
        info = index.info()
        searches = [
            index.search(query, limit=99, all_passages=True, facets=("place", "year"))
            for query in ("hợp tác xã", '"mật ong"', "kktr", "dau05")
        ]
        return {
            "found": [[(hit.article_id, hit.passage.text, round(hit.score, 8)) for hit in one.hits] for one in searches],
            "expansions": [one.expansions for one in searches],
            "shown": [index.show(one) for one in index.article_ids()],
            "related": [(one.article_id, round(one.score, 8)) for one in index.related("04.txt").related],
            "counts": (info.articles, info.passages, info.complete),
            "short forms": info.short_forms,
        }


NOISE = random.Random(4).randbytes(500_000)
DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "deleted": lambda _data: None,
    "empty": lambda _data: b"",
    "cut to half": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
    "noise": lambda data: NOISE[: len(data)],
    "other JSON": lambda _data: b'[{"digest": 1}, 2]',
}


FILES = ["data-*/*.seg", "data-*/*.imp", "data-*/*.toc", "data-*/*.blob", "manifest.json"]
"""Each kind of file that an index has."""


def damaged(sound: tuple[Any, ...], tmp_path: Path, pattern: str, damage: str) -> Iterator[Folders]:
    """Yield copies of the sound folders, each with one file that fits the pattern damaged."""
    folders, _ = sound
    matching = sorted(path.relative_to(folders.index) for path in folders.index.glob(pattern))
    assert matching
    for number, name in enumerate(matching):
        copy = Folders(tmp_path / str(number))
        for folder in ("corpus", "index"):
            shutil.copytree(getattr(folders, folder), getattr(copy, folder), dirs_exist_ok=True)
        path = copy.index / name
        data = DAMAGES[damage](path.read_bytes())
        path.unlink()
        if data is not None:
            path.write_bytes(data)
        yield copy


def trouble(act: Callable[..., Any]) -> str:
    """Return what our error says; "" if there is none. Any other exception passes."""
    try:
        act()
    except IndexFailure as error:
        return str(error)
    return ""


CASES = [pytest.param(pattern, damage, id=f"{pattern} {damage}") for pattern in FILES for damage in DAMAGES]


@pytest.mark.parametrize(("pattern", "damage"), CASES)
def test_asking_a_damaged_index_gives_our_error_or_the_right_answer(
    sound: tuple[Any, ...], tmp_path: Path, pattern: str, damage: str
) -> None:
    for copy in damaged(sound, tmp_path, pattern, damage):
        answers: dict[str, Any] = {}
        said = trouble(lambda copy=copy, answers=answers: answers.update(ask(copy)))
        if said:
            assert "htxsearch reindex" in said
        else:
            assert answers == sound[1]


@pytest.mark.parametrize(("pattern", "damage"), CASES)
def test_the_command_that_the_error_names_mends_the_index(
    sound: tuple[Any, ...], tmp_path: Path, pattern: str, damage: str
) -> None:
    for copy in damaged(sound, tmp_path, pattern, damage):
        copy.write("05.txt", "Tổ trồng sen", "Hợp tác xã bán hạt sen.")
        (copy.corpus / "06.txt").unlink()
        said = trouble(lambda copy=copy: ask(copy)) or trouble(lambda copy=copy: copy.update())
        copy.update(rebuild="--rebuild" in said)
        assert copy.ids() == ["00.txt", "01.txt", "02.txt", "04.txt", "05.txt", "07.txt", "10.txt"]
        assert copy.found("hạt sen") == ["05.txt"]
        assert copy.found("kktr") == ["10.txt"]
        assert strays(copy.index) == []


def test_a_lost_data_folder_is_mended_by_the_command_that_the_error_names(sound: tuple[Any, ...], tmp_path: Path) -> None:
    folders, answers = sound
    copy = Folders(tmp_path / "bản sao")
    for folder in ("corpus", "index"):
        shutil.copytree(getattr(folders, folder), getattr(copy, folder), dirs_exist_ok=True)
    (lost,) = copy.index.glob("data-*")
    shutil.rmtree(lost)
    said = trouble(lambda: ask(copy))
    assert "htxsearch reindex" in said
    copy.update(rebuild="--rebuild" in said)
    assert ask(copy)["shown"] == answers["shown"]


def test_an_index_in_the_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.write("a.txt", "Chè")
    folders.index.write_text("một tệp", encoding="utf-8")
    for act in (lambda: folders.found("chè"), folders.update, lambda: folders.update(rebuild=True)):
        with pytest.raises(HtxError) as failure:
            act()
        assert str(folders.index) in str(failure.value)
    assert folders.index.read_text(encoding="utf-8") == "một tệp"
