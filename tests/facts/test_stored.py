"""Facts as they are stored: nothing is lost, and they are found by what they say."""

from hypothesis import given
from hypothesis import strategies as st

from htxsearch.facts.extract import Fact
from htxsearch.facts.stored import fact_keys, pack_facts, place_key, unpack_facts
from htxsearch.facts.terms import indicator_terms
from htxsearch.text.sentences import Span

from .written import facts_in

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
maybe = st.none() | texts
offsets = st.integers(0, 10**7)
values = st.floats(0, 1e30)
made_facts = st.builds(
    Fact,
    offsets, offsets, values, values, texts, maybe, st.sampled_from(["actual", "target", "change", "estimate", "other"]),
    texts, maybe, maybe, maybe, st.booleans(), maybe, st.builds(Span, offsets, offsets),
)  # fmt: skip


@given(st.lists(made_facts, max_size=4))
def test_facts_come_back_as_they_were(facts: list[Fact]) -> None:
    packed = pack_facts(facts)
    assert unpack_facts(packed) == facts
    assert all(isinstance(fact.sentence, Span) for fact in unpack_facts(packed))
    assert isinstance(packed, bytes)
    assert bool(packed) is bool(facts)


def test_an_article_without_facts_takes_no_room() -> None:
    assert pack_facts([]) == b""
    assert unpack_facts(b"") == []
    assert fact_keys([]) == frozenset()


def test_keys_are_the_terms_and_places() -> None:
    facts = facts_in("Năm 2019, huyện Văn Chấn có 12 HTX nông nghiệp.", place="Yên Bái")
    keys = fact_keys(facts)
    assert indicator_terms("hợp tác xã nông nghiệp") <= keys
    assert {place_key("huyện Văn Chấn"), place_key("Yên Bái")} <= keys


def test_a_place_has_one_key_however_it_is_typed() -> None:
    assert place_key("Yên Bái") == place_key("yen bai") == place_key("YÊN  BÁI")
    assert place_key("Hòa Bình") == place_key("Hoà Bình")
    assert place_key("Yên Bái") != place_key("Yên Mô")


def test_a_place_is_no_term() -> None:
    assert not {place_key("Yên Bái")} & indicator_terms("yên bái")
