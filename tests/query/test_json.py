"""The JSON of answers: what each value becomes, against the types that the OpenAPI document is made from."""

import json
import subprocess
import sys

import msgspec
import pytest

from htxsearch import Index
from htxsearch.search import index_json_types, json_types

QUESTION = "Năm 2019 HTX chè Tân Cương Xanh có bao nhiêu thành viên?"


def checked(value: object, kind: type[msgspec.Struct]) -> dict[str, object]:
    """Return JSON values after a strict check against their type: its keys, in order, and no other."""
    read = msgspec.json.decode(json.dumps(value), type=kind)
    assert list(msgspec.to_builtins(read)) == list(value)  # type: ignore[call-overload]
    assert msgspec.to_builtins(read) == value
    return value  # type: ignore[return-value]


def test_every_answer_is_of_its_json_type(demo: Index) -> None:
    article_id = "thai-nguyen/hop-tac-xa-che-tan-cuong.txt"
    checked(demo.search("hop tac xa che", facets=("year", "province")).as_json(), json_types.Results)
    checked(demo.search("hop tac xa che", explain=True).as_json(explain=True), json_types.Results)
    checked(demo.search(QUESTION, answer=True).as_json(), json_types.Results)
    checked(demo.ask(QUESTION).as_json(), json_types.Answers)
    checked(demo.show(article_id).as_json(), json_types.ArticleView)
    checked(demo.related(article_id).as_json(), json_types.RelatedArticles)
    checked(demo.info().as_json(), index_json_types.Info)
    for suggestion in demo.suggest("hop tac"):
        checked(suggestion.as_json(), json_types.Suggestion)


def test_keys_are_in_the_order_of_the_documentation(demo: Index) -> None:
    found = demo.search("hop tac xa che", limit=1, explain=True).as_json(explain=True)
    keys = "query total near took_ms hits facets hints read_as suggestion semantic restored expansions"
    assert list(found) == keys.split()
    [hit] = found["hits"]
    keys = "article_id title source date place path url score near passage highlights title_highlights reprints explain"
    assert list(hit) == keys.split()
    assert hit["score"] == round(hit["score"], 6)


@pytest.mark.parametrize("name", [name for name in json_types.__all__ if name[0].isupper()])
def test_a_type_has_a_schema_with_its_description(name: str) -> None:
    _, schemas = msgspec.json.schema_components([getattr(json_types, name)], ref_template="#/{name}")
    schema = schemas[name]
    assert schema["description"]
    assert schema["additionalProperties"] is False


def test_no_query_loads_msgspec_unless_json_is_asked_for() -> None:
    code = "import sys, htxsearch.index, htxsearch.answer.pipeline; print('msgspec' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
