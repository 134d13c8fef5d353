"""The terminal speaks Vietnamese or English: by --lang, else HTXSEARCH_LANG, else the locale."""

from pathlib import Path

import click
import pytest
from command import htxsearch, own_process

from htxsearch.cli.main import cli
from htxsearch.cli.translation import environment_language
from htxsearch.errors.messages import LANGUAGES, Language, template

COMMANDS = sorted(cli.all_commands())
BUILT_IN = {"help", "version"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help_in_both_languages(name: str, language: Language) -> None:
    assert template(f"help.{name}", language)
    assert template(f"help.{name}:short", language)
    options = [
        param for param in cli.all_commands()[name].params if isinstance(param, click.Option) and param.name not in BUILT_IN
    ]
    missing = [
        option.name
        for option in options
        if not (template(f"help.{name}.{option.name}", language) or template(f"help.any.{option.name}", language))
    ]
    assert not missing


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LANG": "vi_VN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "HTXSEARCH_LANG": "vi"}, "vi"),
        ({"LANG": "vi_VN.UTF-8", "HTXSEARCH_LANG": "en"}, "en"),
    ],
)
def test_the_environment_chooses_the_language(
    environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTXSEARCH_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert environment_language() == language


def test_an_error_in_vietnamese(tmp_path: Path) -> None:
    done = htxsearch("info", "--index", "không", "--corpus", "có", cwd=tmp_path, HTXSEARCH_LANG="vi")
    assert done.returncode == 4
    assert done.stderr.startswith("lỗi: không có chỉ mục trong không, cũng không có thư mục có")


def test_help_is_in_the_language_wherever_the_option_stands(tmp_path: Path) -> None:
    """In a process of its own: click keeps the help of --help in the language in which it was asked for first."""
    for words in (("--help", "--lang", "vi"), ("--lang=vi", "--help")):
        done = own_process("query", *words, cwd=tmp_path)
        assert done.returncode == 0
        assert "Cách dùng: " in done.stdout
        assert "Tùy chọn:" in done.stdout
        assert "Hiện trợ giúp này." in done.stdout
        assert not {"Usage:", "Options:", "Show this message and exit."} & set(done.stdout.split("\n"))


def test_mistakes_on_the_command_line_are_told_in_the_language(tmp_path: Path) -> None:
    done = htxsearch("query", "--nope", "x", cwd=tmp_path, HTXSEARCH_LANG="vi")
    assert done.returncode == 2
    assert "Không có tùy chọn '--nope'." in done.stderr


def test_what_follows_two_dashes_is_no_option(tmp_path: Path) -> None:
    done = htxsearch("query", "--index", "không", "--corpus", "có", "--", "--lang", "vi", cwd=tmp_path)
    assert done.stderr.startswith("error: there is no index")
