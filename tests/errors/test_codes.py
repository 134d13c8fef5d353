"""Every message of the program is in the catalogues, with its fields; no entry is left over."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest

import htxsearch
from htxsearch import errors
from htxsearch.errors.messages import LOCALE_FOLDER

SOURCE = Path(htxsearch.__file__).parent
ENTRIES = {entry.msgid: entry for entry in polib.pofile(str(LOCALE_FOLDER / "en" / "LC_MESSAGES" / "htxsearch.po"))}
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*(\.[a-z0-9_]+(-[a-z0-9]+)*)+")
MAKERS = {"message", "text", "say", "Message", *errors.__all__, "Rejected", "Dropped", "Unreadable", "AddressRefused"}
"""The names of the functions and classes whose first argument is a code."""
ADVICE = (":do", ":page", ":short")


def calls(path: Path) -> Iterator[tuple[int, str, ast.Call]]:
    """Yield every call in a module of a maker of messages with a code, with its line and code."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and name_of(node.func) in MAKERS and node.args and isinstance(node.args[0], ast.Constant):
            code = node.args[0].value
            if isinstance(code, str):
                yield node.lineno, code, node


def name_of(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""


def fields_of(code: str) -> set[str]:
    """Return the placeholders of a code and its advice, in English; those of Vietnamese are among them."""
    entries = [ENTRIES[code + end] for end in ("", ":do", ":page") if code + end in ENTRIES]
    texts = [text for entry in entries for text in (entry.msgstr, *entry.msgstr_plural.values())]
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name} - {"options"}


def test_the_reader_of_calls_sees_them() -> None:
    assert sum(1 for module in (SOURCE / "cli").glob("*.py") for _ in calls(module)) > 50


@pytest.mark.parametrize("module", sorted(str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py")))
def test_a_code_in_the_source_is_in_the_catalogue_with_its_fields(module: str) -> None:
    for line, code, call in calls(SOURCE / module):
        assert code in ENTRIES, f"{module}:{line}: no entry in htxsearch.po"
        given = {keyword.arg for keyword in call.keywords}
        if None not in given:  # with ** the fields are not known here
            assert fields_of(code) <= given, f"{module}:{line}: fields of {code} that are not given"


def test_no_entry_is_left_over() -> None:
    """A code is written whole in the source or in a template, or begins as an f-string there does."""
    sources = [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.html")]
    texts = [path.read_text("utf-8") for path in sources]
    whole = {match.group() for text in texts for match in re.finditer(r"(?<=[\"'])[\w.-]+(?=[\"'])", text)}
    starts = {match.group(1) for text in texts for match in re.finditer(r"f[\"']([\w.-]+[.-])\{", text)}
    starts |= {"help."}
    left_over = [
        code for code in ENTRIES if code not in whole and not code.endswith(ADVICE) and not code.startswith(tuple(starts))
    ]
    assert not left_over
    assert not [code for code in ENTRIES if code.endswith((":do", ":page")) and code.rpartition(":")[0] not in ENTRIES]
