"""Whatever the program may say on its pages is known in Vietnamese; what that is is read from its source."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import htxsearch
from htxsearch.web.translations import translated

SOURCE = Path(htxsearch.__file__).parent
SPEAKING = [
    *(
        "search/searcher.py",
        "answer/pipeline.py",
        "search/hints.py",
        "query/filters.py",
        "search/articles.py",
        "search/pipeline.py",
        "search/hits.py",
        "search/records.py",
        "query/parse.py",
        "index.py",
        "indexing/update.py",
        "indexing/manifest.py",
        "indexing/embeddings.py",
        "text/places.py",
        "text/encodings.py",
    ),
    *(f"ingest/{name}.py" for name in ("add", "hosts", "corpus", "feeds", "fetch", "boilerplate", "metadata", "subscriptions")),
    *(f"ingest/readers/{path.name}" for path in (SOURCE / "ingest" / "readers").glob("*.py")),
    *(f"web/{name}.py" for name in ("additions", "api", "app", "addition_process", "index_thread", "parameters", "uploads")),
]
"""The modules whose words reach a page: hints, errors, what is refused when adding, what was left out of an article."""

SENTENCE = re.compile(r"""[A-Za-z0-9'"“*(](?=.*[a-z]{2} )[^\\|]* [^\\|]* [^\\|]*""")
EXAMPLES = re.compile("Thái Nguyên có bao nhiêu hợp tác xã|nông\\*|[“”…]")
"""What is not ASCII in messages, which are English."""
NO_MESSAGES = [
    *(r"htxsearch/0\.1 .*", r"# What `htxsearch reindex.*", r"\n?\[\[feed\]\].*", r"no line is known", r"skip to content"),
    *(r"from htxsearch\S* import .*", r"p h1 h2 .*", r"head script .*", r"html body .*", r"\.js \.css .*", r"\w+ or \w+"),
    *(r"did you mean .*", r"htxsearch (info lists|query finds) .*", r"to look for the text itself, .*"),  # ends of others
    *(r"only articles .*", r"how many .*", r"the article's id.*", r"what (to look for|is typed).*", r"best or newest.*"),
    *(r"count by it", r"each article of .*", r"every matching .*", r"say what was .*", r"rank by meaning.*", r"also .*"),
    *(
        r"The .*",
        r"An article as .*",
        r"How many .*",
        r"What a query .*",
        r"Whether .*",
        r"language of .*",
        r"the question, in .*",
    ),
    *(r"asked for with Popen", r"what is missing .*", r"reindex without .*", r"rebuild it with: .*", r"what was got .*"),
    *(r"an old Word.*", r"a picture or .*", r"an? \w+ archive; .*"),  # of "it is …"
    *(r"time = 7", r"7; wait until it .*", r"it is 7", r"7 workers cannot .*", r"7 is not followed; .*", r"cannot compare .*"),
    *(r"it holds 7 articles", r"ngay xuat ban"),
    *(r"(another|an) htxsearch is (writing|adding)[^;]*", r"; doubtful, .*", r"an? element .*"),
]


def alternatives(node: ast.AST) -> list[str]:
    """Return what a literal may read, with 7 in the place of values."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.FormattedValue):
        if isinstance(node.value, ast.IfExp):
            either = [*alternatives(node.value.body), *alternatives(node.value.orelse)]
            if either:
                return either
        return ["'7'" if node.conversion == ord("r") else "7"]
    if isinstance(node, ast.JoinedStr):
        return ["".join(parts) for parts in itertools.product(*map(alternatives, node.values))]
    return []


def messages(module: str) -> Iterator[str]:
    """Yield the literals of a module that read as a message: no docstrings, no parts of others, no patterns, no Vietnamese."""
    tree = ast.parse((SOURCE / module).read_text("utf-8"))
    passed: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            passed.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            passed.update(one for one in ast.walk(node) if one is not node)
    for node in ast.walk(tree):
        if node not in passed and isinstance(node, ast.Constant | ast.JoinedStr):
            for text in alternatives(node):
                is_english = SENTENCE.fullmatch(text) and EXAMPLES.sub("", text).isascii()
                if is_english and not any(re.fullmatch(one, text, re.DOTALL) for one in NO_MESSAGES):
                    yield text


@pytest.mark.parametrize("module", SPEAKING)
def test_everything_that_may_be_said_is_known_in_vietnamese(module: str) -> None:
    unknown = [text for text in messages(module) if translated("vi", text) is None]
    assert unknown == [], "add them to web/translations.py"


def test_the_reader_of_messages_sees_them() -> None:
    seen = {module: set(messages(module)) for module in SPEAKING}
    assert "leave out + and - : natural text finds whatever fits best" in seen["search/hints.py"]
    assert any(text.startswith("no passage found answers it surely enough") for text in seen["answer/pipeline.py"])
    assert "brackets stand in each other more than 7 deep" in seen["query/parse.py"]
    assert {"is no file", "larger than 7 MB; split it"} <= seen["ingest/add.py"] | {"is no file"}
    assert sum(map(len, seen.values())) > 150


def test_what_a_message_quotes_of_another_is_translated_too() -> None:
    said = translated("vi", "its sidecar a.txt.meta.toml: date 'x' is no date; write it as 2023-08-07 or 07/8/2023")
    assert said == "tệp kèm a.txt.meta.toml: «x» không phải là ngày; hãy viết 2019, 9/2019, 7/8/2023 hoặc 2023-08-07"
    assert translated("vi", "its robots.txt cannot be read: what nobody knows") == (
        "không đọc được robots.txt của trang: what nobody knows"
    )
    assert translated("vi", r"it begins or follows “\g<inner> \1”: other stories") == r"từ «\g<inner> \1» trở đi: các bài khác"


@pytest.mark.parametrize("text", ["x" * 5_000, "(" * 3_000, "a is " * 1_000 + "; ", "\n" * 1_000, " no article has: " * 200])
def test_long_messages_are_looked_at_in_no_time(text: str) -> None:
    assert translated("vi", text) is None or isinstance(translated("vi", text), str)
