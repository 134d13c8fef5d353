"""The command line as users and programs call it: words in, output and exit code out, in real folders."""

import contextlib
import errno
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import DEMO, as_json, htxsearch, own_process

from htxsearch import Index
from htxsearch.cli.main import cli, main
from htxsearch.indexing.worker_process import LOW_PRIORITY


@pytest.fixture
def office(tmp_path: Path, demo_index: Path) -> Path:
    """Return a working folder with the demo corpus and its index."""
    (tmp_path / "corpus").symlink_to(DEMO)
    (tmp_path / "index").symlink_to(demo_index)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "stdin", "environment"),
    [
        (["query", "hợp tác xã chè", "--facet", "place"], "", {}),
        (["show", "thai-nguyen/khong-co.txt", "--lang", "vi"], "", {}),
        (["related", "-", "--json"], "Xưởng chè\n\nHợp tác xã chè ở Thái Nguyên có xưởng mới.\r\n", {}),
        (["facts", "số HTX", "--format", "csv"], "", {"HTXSEARCH_LANG": "vi"}),
        ([], "", {"_HTXSEARCH_COMPLETE": "bash_complete", "COMP_WORDS": "htxsearch query x --place Th", "COMP_CWORD": "4"}),
    ],
    ids=["query", "mistake", "standard input", "variable", "completion"],
)
def test_a_process_of_its_own_says_the_same_as_the_call_of_the_tests(
    office: Path, words: list[str], stdin: str, environment: dict[str, str]
) -> None:
    here, there = (run(*words, cwd=office, stdin=stdin, **environment) for run in (htxsearch, own_process))
    assert (here.returncode, here.stdout) == (there.returncode, there.stdout)
    assert re.sub(r"\d+ ms", "… ms", here.stderr) == re.sub(r"\d+ ms", "… ms", there.stderr)
    assert here.stdout or here.stderr


def test_query_prints_hits_and_facets_as_json(office: Path) -> None:
    output = as_json("query", "hop tac xa che", "--place", "Thái Nguyên", "--since", "2019", "--facet", "year", cwd=office)
    assert {"query", "total", "took_ms", "hits", "facets"} <= output.keys()
    assert output["query"] == "hop tac xa che"
    assert output["total"] == len(output["hits"]) > 0
    assert sum(output["facets"]["year"].values()) == output["near"] <= output["total"]
    for hit in output["hits"]:
        assert {"article_id", "title", "source", "date", "place", "path", "score", "passage", "highlights"} <= hit.keys()
        assert hit["place"] == "Thái Nguyên"
        assert hit["date"] >= "2019-01-01"
        shown = as_json("show", hit["article_id"], cwd=office)
        passage = hit["passage"]
        assert shown["text"][passage["start"] : passage["end"]] == passage["text"]
        assert {"start": passage["start"], "end": passage["end"]} in shown["passages"]
        assert all(0 <= start < end <= len(passage["text"]) for start, end in hit["highlights"])


def test_show_and_info_print_json(office: Path) -> None:
    shown = as_json("show", "thai-nguyen/hop-tac-xa-che-tan-cuong.txt", cwd=office)
    assert {"article_id", "title", "date", "place", "source", "path", "text", "passages"} <= shown.keys()
    assert shown["date"] == "2019-05-15"
    info = as_json("info", cwd=office)
    assert info["complete"] is True
    assert info["articles"] >= 40
    assert {"short": "KTTT", "long": "kinh tế tập thể"}.items() <= next(
        one for one in info["short_forms"] if one["short"] == "KTTT"
    ).items()


def test_show_lists_dates_documents_and_the_author(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    body = (
        "Tính đến tháng 9/2019, xóm có 7 tổ trồng sả. Theo Kế hoạch số 12 / KH-UBND, xóm phấn đấu đến năm 2025 có 20 tổ. "
        "Ngày 5/3/2020, xóm họp."
    )
    (corpus / "sa.txt").write_text(f"Hôm nay: 01/02/2024\nVườn sả\n06/03/2020\n{body}\nTác giả: Vàng A Lử\n", "utf-8")
    assert htxsearch("reindex", cwd=tmp_path).returncode == 0
    lines = htxsearch("show", "sa.txt", cwd=tmp_path).stdout.split("\n")
    assert {
        "date: 6 Mar 2020",
        "saved: 1 Feb 2024",
        "author: Vàng A Lử",
        "documents: kế hoạch 12/KH-UBND",
        "as of: tháng 9/2019",
        "planned: năm 2025",
    } <= set(lines)
    shown = as_json("show", "sa.txt", cwd=tmp_path)
    assert [(shown["text"][one["start"] : one["end"]], one["kind"], one["first"]) for one in shown["dates"]] == [
        ("tháng 9/2019", "as-of", "2019-09-01"),
        ("năm 2025", "planned", "2025-01-01"),
        ("Ngày 5/3/2020", "event", "2020-03-05"),
    ]
    assert [(one["normal"], one["kind"], one["issuer"]) for one in shown["documents"]] == [("12/KH-UBND", "kế hoạch", "UBND")]
    (corpus / "lo.txt").write_text("Lò sấy\nXóm theo Quyết định số 46/QĐ-TTg mà dựng lò.\n", "utf-8")
    (corpus / "che.txt").write_text("Đồi chè\nXóm theo Quyết định số 461/QĐ-TTg mà trồng chè.\n", "utf-8")
    assert htxsearch("reindex", cwd=tmp_path).returncode == 0
    with Index(tmp_path / "index", corpus=corpus) as index:
        for spelling in ("461/QĐ-TTg", "461/qd-ttg", "461 qd ttg", "461-QD-TTg", "461 / QĐ – TTg", "461 qđ/ttg"):
            assert [hit.article_id for hit in index.search(spelling).hits] == ["che.txt"], spelling
        for spelling in ("12/KH-UBND", "12 kh ubnd", "12-KH-UBND", "12 / kh - ubnd"):
            assert [hit.article_id for hit in index.search(spelling).hits] == ["sa.txt"], spelling


def test_related_prints_json_and_marks_reprints(office: Path) -> None:
    output = as_json("related", "trang-tong-hop/nam-dam-lam-du-lich.txt", cwd=office)
    assert output["article_id"] == "trang-tong-hop/nam-dam-lam-du-lich.txt"
    first = output["related"][0]
    assert {"article_id", "title", "score", "terms", "reprint"} <= first.keys()
    assert first["article_id"] == "ha-giang/du-lich-cong-dong-quan-ba.txt"
    assert first["reprint"] is True
    assert not any(other["reprint"] for other in output["related"][1:])


def test_show_tells_the_own_number_and_the_signer(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    body = "Theo Kế hoạch số 12/KH-UBND, xóm trồng sả.\nKT. CHỦ TỊCH\nPHÓ CHỦ TỊCH\nVàng A Lử\n"
    (corpus / "sa.txt").write_text(f"HTX VƯỜN SẢ\nSố: 4/BC-HTX\nBÁO CÁO\nVườn sả năm qua\n{body}", "utf-8")
    assert htxsearch("reindex", cwd=tmp_path).returncode == 0
    lines = htxsearch("show", "sa.txt", cwd=tmp_path).stdout.split("\n")
    assert {
        "own number: 4/BC-HTX",
        "signed by: Vàng A Lử, Phó Chủ tịch",
        "documents: báo cáo 4/BC-HTX (this document's own number) · kế hoạch 12/KH-UBND",
    } <= set(lines)
    shown = as_json("show", "sa.txt", cwd=tmp_path)
    assert (shown["number"], shown["signer"]) == ("4/BC-HTX", "Vàng A Lử, Phó Chủ tịch")
    assert [one.get("own", False) for one in shown["documents"]] == [True, False]
    assert "số của văn bản này" in htxsearch("--lang", "vi", "show", "sa.txt", cwd=tmp_path).stdout


def test_a_query_shows_one_reprint_and_lists_the_other_with_it(office: Path) -> None:
    earliest, later = "ha-giang/du-lich-cong-dong-quan-ba.txt", "trang-tong-hop/nam-dam-lam-du-lich.txt"
    words = "Nặm Đăm 11.200 lượt khách"
    hit = as_json("query", words, cwd=office)["hits"][0]
    assert hit["article_id"] == earliest
    assert [one["article_id"] for one in hit["reprints"]] == [later]
    assert later in [one["article_id"] for one in as_json("query", words, "--all-reprints", cwd=office)["hits"]]
    done = htxsearch("query", words, "-n", "1", cwd=office)
    assert f"{earliest} +1 reprint\n" in done.stdout


def test_show_reprints_lists_copies_and_differing_figures(office: Path) -> None:
    earliest, later = "ha-giang/du-lich-cong-dong-quan-ba.txt", "trang-tong-hop/nam-dam-lam-du-lich.txt"
    output = as_json("show", later, "--reprints", cwd=office)
    assert output["article_id"] == later
    [other] = output["reprints"]
    assert {"article_id": earliest, "date": "2024-03-26"}.items() <= other.items()
    only = [figure for one in other["differences"] for figure in one["only_there"]]
    assert {"7,5 tỷ", "4 ha"} <= set(only)
    assert not any(figure.startswith(("11.200", "5%", "180")) for figure in only)
    done = htxsearch("show", later, "--reprints", cwd=office)
    assert f"26 Mar 2024 · {earliest}" in done.stdout
    assert "7,5 tỷ" in done.stdout
    alone = htxsearch("show", "thai-nguyen/hop-tac-xa-che-tan-cuong.txt", "--reprints", cwd=office)
    assert (alone.returncode, alone.stderr) == (0, "no other article has this text\n")


def test_related_takes_a_file_outside_the_corpus_and_standard_input(office: Path) -> None:
    text = (DEMO / "thai-nguyen" / "hop-tac-xa-che-tan-cuong.txt").read_text("utf-8")
    (office / "mine.txt").write_text(text, "utf-8")
    for output in (
        as_json("related", "mine.txt", cwd=office),
        as_json("related", "-", cwd=office, stdin=text),
    ):
        assert output["article_id"] is None
        assert output["related"][0]["article_id"] == "thai-nguyen/hop-tac-xa-che-tan-cuong.txt"
        assert output["related"][0]["reprint"] is True


def test_related_finds_an_article_by_its_path_from_here(office: Path) -> None:
    by_path = as_json("related", "corpus/thai-nguyen/che-la-bang-dai-tu.txt", cwd=office)
    assert by_path["article_id"] == "thai-nguyen/che-la-bang-dai-tu.txt"


def test_jsonl_prints_one_line_per_hit(office: Path) -> None:
    done = htxsearch("query", "hợp tác xã", "--jsonl", "-n", "5", cwd=office)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 5
    assert len({line["article_id"] for line in lines}) == 5


def test_pages_neither_skip_nor_repeat(office: Path) -> None:
    whole = [hit["article_id"] for hit in as_json("query", "hợp tác xã", "-n", "12", cwd=office)["hits"]]
    pages = [
        hit["article_id"]
        for offset in (0, 4, 8)
        for hit in as_json("query", "hợp tác xã", "-n", "4", "--offset", str(offset), cwd=office)["hits"]
    ]
    assert pages == whole


def test_sorting_by_date_puts_the_newest_first_and_undated_last(office: Path) -> None:
    dates = [hit["date"] for hit in as_json("query", "chè", "--sort", "date", "-n", "60", cwd=office)["hits"]]
    known = [date for date in dates if date]
    assert known == sorted(known, reverse=True)
    assert dates[: len(known)] == known


def test_data_goes_to_stdout_and_messages_to_stderr(office: Path) -> None:
    done = htxsearch("query", "zzzz", cwd=office)
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing found" in done.stderr
    assert "no article has: zzzz" in done.stderr
    assert "\x1b" not in htxsearch("query", "chè", cwd=office).stdout


def test_explain_prints_expansions_and_feature_scores(office: Path) -> None:
    done = htxsearch("query", "che", "--explain", "-n", "1", cwd=office)
    assert "che → che" in done.stdout or "chè 0.6" in done.stdout
    assert "syllable:" in done.stdout
    output = as_json("query", "HTX che", "--explain", "-n", "2", cwd=office)
    for hit in output["hits"]:
        assert sum(hit["explain"]["features"].values()) == pytest.approx(hit["score"], abs=1e-4)
        assert hit["explain"]["stage_one"]
    assert {one["typed"] for one in output["expansions"]} >= {"htx", "che"}


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["query", "--strict", "(chè"], 2, 'this "(" is never closed\n  (chè\n  ^'),
        (["query", "--strict", 'chè "Thái'], 2, '  chè "Thái\n      ^'),
        (["query", "chè", "--since", "hôm qua"], 2, "since 'hôm qua' is no date; write 2019"),
        (["query", "chè", "--since", "2021", "--until", "2020"], 2, "swap them"),
        (["query", "chè", "-n", "0"], 2, "limit must be between 1 and"),
        (["query", "chè", "--offset", "-1"], 2, "offset must not be negative"),
        (["query", "chè", "--place", ""], 2, "place is empty"),
        (["query", "--strict", "vườn:chè"], 2, "there is no field vườn:"),
        (["show", "che-tan-cuon.txt"], 2, "did you mean"),
        (["related", "nowhere.txt"], 2, "there is no article 'nowhere.txt'"),
        (["related", "-"], 2, "it has no text"),
        (["query"], 2, "Missing argument 'QUERY...'"),
        (["reindex", "--corpus", "nowhere"], 3, "there is no corpus folder nowhere"),
    ],
)
def test_a_wrong_call_gets_a_message_and_its_exit_code(office: Path, words: list[str], code: int, says: str) -> None:
    done = htxsearch(*words, cwd=office)
    assert done.returncode == code
    assert says in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_named(tmp_path: Path, unbuffered: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "htxsearch", "--help"],
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
    assert done.returncode != 0
    assert "error: cannot write the output: No space left on device" in done.stderr


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "sổ.toml"), "error: cannot use sổ.toml: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), "error: the system reports: No space left on device"),
    ],
    ids=["with a file", "without"],
)
def test_another_error_of_the_system_names_its_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: OSError, says: str
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "main", fail)
    monkeypatch.setenv("HTXSEARCH_LANG", "en")
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    assert capsys.readouterr().err == f"{says}\n"


def test_query_builds_a_missing_index_first(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "che.txt").write_text("Chè Tân Cương\n\nHợp tác xã chè bán ba tấn búp khô.\n", "utf-8")
    done = htxsearch("query", "che", cwd=tmp_path)
    assert done.returncode == 0
    assert "building it from corpus" in done.stderr
    assert "Chè Tân Cương" in done.stdout
    assert "building" not in htxsearch("query", "che", cwd=tmp_path).stderr


def test_a_missing_index_and_corpus_are_reported(tmp_path: Path) -> None:
    done = htxsearch("query", "chè", cwd=tmp_path)
    assert done.returncode == 4
    assert "htxsearch reindex --corpus FOLDER" in done.stderr
    assert not (tmp_path / "index").exists()


def test_a_word_that_begins_with_a_dash_is_told_from_an_option(office: Path) -> None:
    done = htxsearch("query", "cam", "-chè", cwd=office)
    assert done.returncode == 2
    assert (
        "put -- before it: htxsearch query -- cam '-chè'; a word to leave out may also be written as: NOT word" in done.stderr
    )
    assert "NOT từ" in htxsearch("query", "cam", "-chè", "--lang", "vi", cwd=office).stderr
    assert "NOT" not in htxsearch("ask", "-chè", cwd=office).stderr
    assert "put --" not in htxsearch("query", "--plase", "X", cwd=office).stderr


def test_what_is_shown_in_vietnamese_has_no_english_names(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "hai tin.txt").write_text("Vườn chè tỉnh Thái Nguyên\n\nBà con hái chè ở 5 HTX năm 2023.\n", "utf-8")
    shown = htxsearch("show", "hai tin.txt", "--lang", "vi", cwd=tmp_path)
    assert "(suy ra từ tiêu đề: " in shown.stdout
    present = htxsearch("edit", "hai tin.txt", "--lang", "vi", cwd=tmp_path)
    assert "suy ra từ tiêu đề: " in present.stdout
    assert "htxsearch edit 'hai tin.txt' --date" in present.stderr
    found = htxsearch("query", "chè", "--facet", "source", "--lang", "vi", cwd=tmp_path)
    assert "nguồn: không bài nào tìm thấy có ghi" in found.stderr
    assert "nguồn: " not in found.stdout
    wrong = htxsearch("query", "chè", "--since", "hôm qua", "--lang", "vi", cwd=tmp_path)
    assert "--since «hôm qua»" in wrong.stderr
    table = htxsearch("facts", "--format", "csv", "--lang", "vi", cwd=tmp_path)
    assert table.stdout.startswith("chỉ tiêu,đối tượng,nơi,thời điểm,giá trị,")


def test_reindex_exits_with_1_when_a_file_is_rejected(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "good.txt").write_text("Lúa mùa\n\nHợp tác xã gặt xong sáu mươi héc-ta.\n", "utf-8")
    (corpus / "bad.txt").write_bytes(b"\xff\xfe\x00")
    done = htxsearch("reindex", "--json", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert {name: report[name] for name in ("added", "changed", "removed", "unchanged")} == {
        "added": 1,
        "changed": 0,
        "removed": 0,
        "unchanged": 0,
    }
    assert [one["path"] for one in report["rejected"]] == ["bad.txt"]
    assert report["newly_rejected"] == report["rejected"]
    again = htxsearch("reindex", cwd=tmp_path)
    assert again.returncode == 0, "the file was rejected before"
    assert "bad.txt" not in again.stdout + again.stderr
    assert "1 other file is still not taken in; see why: htxsearch info --rejected" in again.stderr
    report = json.loads(htxsearch("reindex", "--json", cwd=tmp_path).stdout)
    assert ([one["path"] for one in report["rejected"]], report["newly_rejected"]) == (["bad.txt"], [])
    rebuilt = htxsearch("reindex", "--rebuild", cwd=tmp_path)
    assert rebuilt.returncode == 1
    assert "rejected bad.txt" in rebuilt.stderr
    (corpus / "bad.txt").unlink()
    again = htxsearch("reindex", cwd=tmp_path)
    assert again.returncode == 0
    assert again.stdout.startswith("0 added, 0 changed, 0 removed, 1 unchanged")


def test_options_take_precedence_over_the_environment(office: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    places = {"HTXSEARCH_INDEX": str(office / "index"), "HTXSEARCH_CORPUS": str(office / "corpus")}
    assert as_json("query", "chè", cwd=elsewhere, **places)["total"] > 0
    done = htxsearch("query", "chè", "--index", "none", "--corpus", "none", cwd=elsewhere, **places)
    assert done.returncode == 4


def imported(*words: str, cwd: Path) -> tuple[set[str], str]:
    """Run a command that must succeed; return the modules it imported and its output."""
    code = (
        "import sys\nfrom htxsearch.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert stop.code in (0, None)\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=cwd, capture_output=True, encoding="utf-8", check=True)
    return set(done.stderr.split()), done.stdout


def test_a_query_imports_no_package_it_does_not_need(office: Path) -> None:
    modules, output = imported("query", "hop tac xa", "--json", "--facet", "place", "--explain", cwd=office)
    assert not modules & {"underthesea", "sklearn", "scipy", "trafilatura", "markdown_it", "joblib", "htxsearch.answer"}
    assert json.loads(output)["total"] > 0


def test_help_imports_no_heavy_package(tmp_path: Path) -> None:
    modules, output = imported("--help", cwd=tmp_path)
    assert not modules & {"underthesea", "sklearn", "numpy", "whoosh", "trafilatura"}
    assert "reindex" in output


def test_hostile_articles_cannot_drive_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    text = "Chè \x1b]0;ha\x07 \x1b[2J\n\nHợp tác xã \x1b[31mđỏ \u202exanh.\n"
    (tmp_path / "corpus" / "hostile.txt").write_text(text, "utf-8")
    for command in (["query", "hợp tác xã"], ["show", "hostile.txt"], ["related", "-"]):
        done = htxsearch(*command, cwd=tmp_path, stdin=text)
        assert done.returncode == 0
        assert not set("\x1b\x07\u202e") & set(done.stdout)


def test_completion_scripts_name_the_command(tmp_path: Path) -> None:
    for shell in ("bash", "zsh", "fish"):
        done = htxsearch("completion", shell, cwd=tmp_path)
        assert done.returncode == 0
        assert "_HTXSEARCH_COMPLETE" in done.stdout


def test_articles_are_completed_from_the_index(office: Path) -> None:
    done = htxsearch(
        cwd=office, _HTXSEARCH_COMPLETE="bash_complete", COMP_WORDS="htxsearch show thai-nguyen/che", COMP_CWORD="2"
    )
    assert "plain,thai-nguyen/che-la-bang-dai-tu.txt" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("thai n", ["Thái Nguyên", "Thái Nguyên (cũ)"]),
        ("Bắc K", ["Bắc Kạn"]),
        ("tỉnh Thái Nguyên", ["Thái Nguyên", "Thái Nguyên (cũ)"]),
        ("BR-VT", ["Bà Rịa - Vũng Tàu"]),
        ("zzz", []),
    ],
)
def test_places_are_completed_with_and_without_diacritics(tmp_path: Path, typed: str, offered: list[str]) -> None:
    words = f'htxsearch\nquery\nchè\n--place\n"{typed}'
    done = htxsearch(cwd=tmp_path, _HTXSEARCH_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD="4")
    assert done.stdout.split("\n")[:-1] == ([f"plain,{name}" for name in offered] or [""])


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize("typed", ["Bắc\\ K", '"Bắc K', "'Bắc K"])
def test_bash_quotes_a_completed_place(tmp_path: Path, typed: str) -> None:
    """Run bash on a terminal: Tab completes the name, then the command before it is replaced by one that writes its words."""
    command = tmp_path / "htxsearch"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m htxsearch "$@"\n', "utf-8")
    command.chmod(0o755)
    (tmp_path / "script").write_text(htxsearch("completion", "bash", cwd=tmp_path).stdout, "utf-8")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=tmp_path
    )
    os.close(theirs)
    line = f"source ./script\nhtxsearch query x --place {typed}\t\x01printf '%s|' \x05 > words\nexit\n"
    with open(ours, "r+b", buffering=0) as terminal:
        terminal.write(line.encode())
        with contextlib.suppress(OSError):  # how a terminal says that its program has ended
            while terminal.read(4096):
                pass
    assert shell.wait() == 0
    assert (tmp_path / "words").read_text("utf-8") == "htxsearch|query|x|--place|Bắc Kạn|"


def test_show_prints_the_evidence_of_a_place_and_its_present_province(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "mien.txt").write_text("Miến dong Bắc Kạn\nHợp tác xã tráng miến.\n", "utf-8")
    assert htxsearch("reindex", cwd=tmp_path).returncode == 0
    shown = htxsearch("show", "mien.txt", cwd=tmp_path).stdout
    assert 'place: Bắc Kạn (inferred from title: "Miến dong Bắc Kạn"; part of Thái Nguyên since 1 Jul 2025)' in shown
    output = as_json("show", "mien.txt", cwd=tmp_path)
    assert (output["place"], output["province_now"]) == ("Bắc Kạn", "Thái Nguyên")
    assert output["place_evidence"] == 'title: "Miến dong Bắc Kạn"'


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no priorities that os.setpriority knows")
@pytest.mark.parametrize(("words", "lowers"), [("reindex", True), ("add -", True), ("query gốm", False)])
def test_only_commands_that_index_lower_their_priority(tmp_path: Path, words: str, lowers: bool) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.txt").write_text("Lò gốm Phù Lãng\n\nThợ nặn chum bằng đất đỏ.", "utf-8")
    code = (
        f"import os, sys; sys.argv = ['htxsearch', *{words.split()}]\n"
        "from htxsearch.cli.main import main\n"
        "before = os.getpriority(os.PRIO_PROCESS, 0)\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert stop.code == 0\n"
        "print(before, os.getpriority(os.PRIO_PROCESS, 0), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, input="Gạo nếp\n\nMùa gặt.", capture_output=True, text=True, check=True
    )
    before, after = map(int, done.stderr.splitlines()[-1].split())
    assert after == (max(before, LOW_PRIORITY) if lowers else before)
