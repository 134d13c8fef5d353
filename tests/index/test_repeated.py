"""What repeats in a source is learnt from all its files: not from one file, not from reprints, and not from lines of JSON."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from htxsearch.engine.memory import MemoryEngine
from htxsearch.indexing.catalogue import Report
from htxsearch.indexing.update import reindex, unobserved
from htxsearch.ingest.boilerplate import block
from htxsearch.ingest.site_boilerplate import LineCounts, blocks_in, boilerplate_fingerprint, learned_boilerplate, line_counts

from .folders import SUBJECTS, Folders

SLOGAN = "Bản tin này in ra để truyền tay, đọc xong xin đưa cho nhà bên."


def story(number: int, paragraphs: int = 2) -> list[str]:
    """Return paragraphs that no other number has, each long enough to tell reprints."""
    one, other = SUBJECTS[number % len(SUBJECTS)], SUBJECTS[(number * 7 + 3) % len(SUBJECTS)]
    return [
        f"Nhà số {number} ở xóm {part} trồng {one} xen {other} đã {number + 2} vụ, mỗi vụ ghi vào sổ {part} ngày gieo, ngày "
        f"bón, ngày hái và số cân bán ra ở chợ phiên thứ {number}."
        for part in range(paragraphs)
    ]


def write(folders: Folders, name: str, number: int, *around: str) -> Path:
    return folders.write(name, f"Sổ vườn {SUBJECTS[number % len(SUBJECTS)]} nhà {number}", "\n".join([*story(number), *around]))


def run(engine: MemoryEngine, folders: Folders, **options: Any) -> Report:
    return reindex(engine, folders.corpus, **{"batch": 3, "progress": unobserved, **options})


def bodies(engine: MemoryEngine) -> dict[str, str]:
    return {one: json.loads(engine.records([one])[0] or "")["body"] for one in engine.article_ids()}


def state(engine: MemoryEngine) -> tuple[Any, ...]:
    return bodies(engine), json.loads(engine.blob("catalogue") or b""), json.loads(engine.blob("settled") or b"")


# The law: however many runs it took, and in whatever order


@pytest.mark.parametrize("seed", range(4))
def test_one_run_over_all_comes_to_the_same_as_many_over_some(tmp_path: Path, seed: int) -> None:
    folders = Folders(tmp_path)
    files = {f"{'ab'[n % 2]}/{n:02}.txt": (n, [SLOGAN] if n % 3 else []) for n in range(12)}
    order = random.Random(seed).sample(sorted(files), len(files))
    by_turns = MemoryEngine()
    for at, name in enumerate(order):
        number, around = files[name]
        write(folders, name, number, *around)
        if at % 2:
            run(by_turns, folders)
    run(by_turns, folders)
    at_once = MemoryEngine()
    run(at_once, folders)
    assert state(by_turns) == state(at_once)
    assert not any(SLOGAN in body for body in bodies(at_once).values())


def test_the_third_file_changes_the_first_two(tmp_path: Path) -> None:
    folders, engine = Folders(tmp_path), MemoryEngine()
    for number in range(2):
        write(folders, f"{number}.txt", number, SLOGAN)
    run(engine, folders)
    assert all(SLOGAN in body for body in bodies(engine).values())
    write(folders, "2.txt", 2, SLOGAN)
    report = run(engine, folders)
    assert (report.added, report.changed, report.unchanged) == (1, 2, 0)
    assert not any(SLOGAN in body for body in bodies(engine).values())
    again = run(engine, folders)
    assert (again.changed, again.unchanged) == (0, 3)


def test_a_file_that_goes_takes_what_it_taught_along(tmp_path: Path) -> None:
    folders, engine = Folders(tmp_path), MemoryEngine()
    for number in range(3):
        write(folders, f"{number}.txt", number, SLOGAN)
    run(engine, folders)
    (folders.corpus / "1.txt").unlink()
    report = run(engine, folders)
    assert (report.changed, report.removed) == (2, 1)
    assert all(SLOGAN in body for body in bodies(engine).values())


@pytest.mark.parametrize("calls", range(1, 7))
def test_a_run_cut_off_is_made_good_by_the_next_though_files_went_meanwhile(tmp_path: Path, calls: int) -> None:
    folders, engine = Folders(tmp_path), MemoryEngine()
    for number in range(6):
        write(folders, f"{number}.txt", number, *([SLOGAN] if number in (0, 4, 5) else []))

    def stop(_done: int, _total: int, left: list[int] = [calls]) -> None:  # noqa: B006 — it counts
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(engine, folders, batch=1, progress=stop)
    (folders.corpus / "5.txt").unlink()
    run(engine, folders)
    fresh = MemoryEngine()
    run(fresh, folders)
    assert state(engine) == state(fresh)
    assert SLOGAN in bodies(engine)["0.txt"]


def test_a_run_that_finds_nothing_writes_nothing(tmp_path: Path) -> None:
    folders, engine = Folders(tmp_path), MemoryEngine()
    for number in range(3):
        write(folders, f"{number}.txt", number, SLOGAN)
    run(engine, folders)
    before = engine.generation
    run(engine, folders)
    assert engine.generation == before


def test_a_real_index_learns_too(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    for number in range(3):
        write(folders, f"{number}.txt", number, SLOGAN)
    folders.update()
    assert folders.found('"truyền tay"') == []
    (folders.corpus / "2.txt").unlink()
    folders.update()
    assert set(folders.found('"truyền tay"')) == {"0.txt", "1.txt"}


# What counts


def test_folders_are_sources_and_so_is_what_the_user_says(tmp_path: Path) -> None:
    folders, engine = Folders(tmp_path), MemoryEngine()
    for number, folder in enumerate(["a", "b", "c", "c"]):
        write(folders, f"{folder}/{number}.txt", number, SLOGAN)
    run(engine, folders)
    assert all(SLOGAN in body for body in bodies(engine).values())
    for number, folder in enumerate("abc"):
        (folders.corpus / f"{folder}/{number}.txt.meta.toml").write_text('source = "Bản tin xóm"\n', "utf-8")
    run(engine, folders)
    assert {one for one, body in bodies(engine).items() if SLOGAN in body} == {"c/3.txt"}


def test_json_lines_are_not_counted_and_nothing_is_dropped_from_them(tmp_path: Path) -> None:
    folders, engine = Folders(tmp_path), MemoryEngine()
    rows = [{"id": str(n), "title": f"Sổ {n}", "text": "\n".join([*story(n), SLOGAN])} for n in range(5)]
    folders.write_lines("a.jsonl", *rows)
    run(engine, folders)
    assert all(SLOGAN in body for body in bodies(engine).values())
    assert "blocks" not in json.loads(engine.blob("catalogue") or b"")["a.jsonl"]


def test_a_sentence_in_few_of_many_files_stays_a_line_that_is_none_goes() -> None:
    sentence, label = "Việc này xóm còn bàn tiếp, chưa ai chịu ai trong buổi họp.", "Tổ sổ vườn ghi"
    files = {f"{n:02}": line_counts("x", [*story(n), *([sentence, label] if n < 3 else [])]) for n in range(40)}
    assert learned_boilerplate(files, {"x"}) == {"x": {block(label)}}
    assert learned_boilerplate({path: files[path] for path in sorted(files)[:20]}, {"x"}) == {
        "x": {block(label), block(sentence)}
    }


def test_reprints_do_not_teach(tmp_path: Path) -> None:
    folders, engine = Folders(tmp_path), MemoryEngine()
    for name in "abcd":
        folders.write(f"{name}.txt", f"Bản {name} in lại sổ vườn", "\n".join(story(1, 4)))
    run(engine, folders)
    assert all(len(body.split("\n")) == 4 for body in bodies(engine).values())


def test_a_paragraph_told_again_in_later_stories_stays(tmp_path: Path) -> None:
    folders, engine = Folders(tmp_path), MemoryEngine()
    again = story(99, 1)[0]
    for number in range(4):
        first, *rest = story(number, 4)
        folders.write(f"{number}.txt", f"Sổ vườn nhà {number}", "\n".join([first, again, *rest]))
    run(engine, folders)
    assert all(again in body for body in bodies(engine).values())


def test_a_text_of_nothing_but_repeated_lines_stays_what_it_was(tmp_path: Path) -> None:
    folders, engine = Folders(tmp_path), MemoryEngine()
    for number in range(3):
        write(folders, f"{number}.txt", number, SLOGAN)
    folders.write("khac.txt", SLOGAN, SLOGAN)
    report = run(engine, folders)
    assert not report.rejected
    assert "khac.txt" in bodies(engine)


def pages(folders: Folders) -> None:
    for number in range(3):
        text = "".join(f"<p>{one}</p>" for one in [*story(number), SLOGAN])
        head = f'<meta property="og:url" content="https://www.xom.example/{number}"><title>Sổ vườn nhà {number}</title>'
        (folders.corpus / f"{number}.html").write_text(
            f"<html><head>{head}</head><body><h1>Sổ vườn nhà {number}</h1>{text}</body>"
        )


def test_pages_of_one_site_teach_each_other(tmp_path: Path) -> None:
    folders, engine = Folders(tmp_path), MemoryEngine()
    pages(folders)
    run(engine, folders)
    assert not any(SLOGAN in body for body in bodies(engine).values())
    assert {one["source"] for one in json.loads(engine.blob("catalogue") or b"").values()} == {"xom.example"}


# The count itself


def test_what_is_counted_can_be_taken_apart_again() -> None:
    lines = ["Bản tin xóm", "Tin", *story(1)]
    other, prose = blocks_in(line_counts("x", lines).blocks)
    assert (len(other), len(prose)) == (2, 2)
    assert line_counts("x", reversed(lines)) == line_counts("x", lines)
    assert line_counts("x", ["", "—"]) == LineCounts()


def test_only_lines_that_repeat_tell_how_a_file_is_read() -> None:
    files = {str(n): line_counts("x", [SLOGAN, *story(n)]) for n in range(3)}
    [found] = learned_boilerplate(files, {"x"}).values()
    assert len(found) == 1
    assert len({boilerplate_fingerprint(one, found) for one in files.values()}) == 1
    assert boilerplate_fingerprint(line_counts("x", story(1)), found) == ""
    assert learned_boilerplate(files, {"y"}) == {"y": frozenset()}
