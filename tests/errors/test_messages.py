"""Messages: the same codes and placeholders in every catalogue, and values in the form of each language."""

import datetime
import pickle
import string
import subprocess
import sys
from pathlib import Path

import polib
import pytest

from htxsearch.errors import HtxError, QuerySyntaxError, UsageError
from htxsearch.errors.messages import (
    LANGUAGES,
    LOCALE_FOLDER,
    Message,
    date_text,
    message,
    number_text,
    render,
    set_advice_options,
)

ROOT = Path(__file__).parent.parent.parent
ENTRIES = {
    language: {entry.msgid: entry for entry in polib.pofile(str(LOCALE_FOLDER / language / "LC_MESSAGES" / "htxsearch.po"))}
    for language in LANGUAGES
}


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def placeholders(entry: polib.POEntry) -> set[str]:
    return {name for text in texts(entry) for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_catalogue_has_every_code() -> None:
    assert set(ENTRIES["en"]) == set(ENTRIES["vi"])


@pytest.mark.parametrize("code", sorted(ENTRIES["en"]))
def test_a_code_has_a_text_with_known_placeholders_in_both_languages(code: str) -> None:
    english, vietnamese = ENTRIES["en"][code], ENTRIES["vi"][code]
    assert all(text.strip() for entry in (english, vietnamese) for text in texts(entry))
    assert placeholders(vietnamese) <= placeholders(english) | {"options"}, "a Vietnamese text may leave fields out"


def test_the_compiled_catalogues_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/compile_messages.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run scripts/compile_messages.py: {done.stdout}{done.stderr}"


def test_numbers_and_dates_take_the_form_of_the_language() -> None:
    day = datetime.date(2023, 8, 7)
    assert (number_text(1234567.5, "en"), number_text(1234567.5, "vi")) == ("1,234,567.5", "1.234.567,5")
    assert (date_text(day, "en"), date_text(day, "vi")) == ("7 Aug 2023", "07/08/2023")


def test_a_page_calls_a_parameter_as_its_field_is_called() -> None:
    wrong = message("option.bad-date", option="since", value="hôm qua")
    assert render(wrong, "vi", audience="page").startswith("ô Từ «hôm qua» không phải là ngày")
    assert render(wrong, "en", audience="page").startswith("the field From 'hôm qua' is no date")
    assert render(wrong, "vi").startswith("since «hôm qua»"), "the terminal names the option"
    assert render(message("serve.missing", name="unknown", about=""), "vi", audience="page") == "thiếu unknown"
    person = message("serve.editor-needed", person="since")
    assert render(person, "vi", audience="page").startswith("since chỉ được đọc"), "a person may be called so"


def test_a_plural_form_is_chosen_by_the_count() -> None:
    assert render(message("cli.pages-seen", count=1), "en") == "1 page seen"
    assert render(message("cli.pages-seen", count=1200), "en") == "1,200 pages seen"
    assert render(message("cli.pages-seen", count=1200), "vi") == "đã xem 1.200 trang"


def test_a_code_without_an_entry_is_its_own_text() -> None:
    assert render(message("no such {code}"), "vi") == "no such {code}"
    assert render("a text", "vi") == "a text"


def test_a_message_is_an_immutable_value() -> None:
    first, second = message("option.limit-too-small", limit=0), Message("option.limit-too-small", {"limit": 0})
    assert first == second
    assert len({first, second}) == 1
    assert first != message("option.limit-too-small", limit=1)
    assert len({message("x", a=value, b=[value]) for value in (1, True, 1.0)}) == 1, "equal messages have equal hashes"
    assert message("x", a=1, b=2) in {message("x", b=2, a=1)}
    assert pickle.loads(pickle.dumps(first)) == first
    with pytest.raises(AttributeError):
        first.code = "other"


def test_an_error_has_its_code_and_fields_and_can_be_pickled() -> None:
    error = UsageError("option.limit-too-small", limit=0)
    error.add_note("a note")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is UsageError
    assert (again.code, again.fields, again.__notes__) == ("option.limit-too-small", {"limit": 0}, ["a note"])
    assert str(again) == "limit must be at least 1, not 0"
    assert render(error, "vi") == "giới hạn phải từ 1 trở lên, không phải 0"


def test_a_query_error_keeps_its_caret_when_pickled() -> None:
    error = QuerySyntaxError("option.limit-too-small", query="(chè", column=0, limit=0)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == "limit must be at least 1, not 0\n  (chè\n  ^"


def test_an_error_may_quote_another_one() -> None:
    assert render(HtxError("x", inner=UsageError("option.limit-too-small", limit=0)).fields["inner"], "vi").startswith(
        "giới hạn"
    )


def test_advice_repeats_the_folders_that_were_given() -> None:
    set_advice_options(" --index x")
    try:
        shown = render(message("cli.not-complete"), "en")
    finally:
        set_advice_options("")
    assert shown.endswith("complete it with: htxsearch reindex --index x")
    assert str(message("cli.not-complete")).endswith("complete it with: htxsearch reindex")


def test_a_page_shows_no_commands() -> None:
    assert "htxsearch" not in render(message("cli.not-complete"), "vi", audience="page")


@pytest.mark.parametrize(
    "code", sorted(code for code in ENTRIES["en"] if code.startswith(("file.", "ocr.")) and ":" not in code)
)
def test_a_rejection_says_what_to_do(code: str) -> None:
    if code in ("file.metadata", "file.pdf-scan", "file.picture-scan"):  # end with another reason
        assert all(ENTRIES[language][code].msgstr.endswith("{reason}") for language in LANGUAGES)
        return
    for language in LANGUAGES:
        assert ";" in ENTRIES[language][code].msgstr or f"{code}:do" in ENTRIES[language]
