"""Measure how reprints are grouped: 200 made from real articles, among 20,000 others, and what it costs.

    python benches/reprints.py --data ../shared/data [--pairs 200] [--index] [--show 10]

Each copy is cut to 40–90 % (its beginning kept, or whole sentences left out), gets another title, and by chance a caption in
the middle, another site's lead in front, a licence line behind, and tone marks in the other placement. *Found* is the
share of copies that stand in a group with what they were made of. *Wrongly joined* is the share of the others that stand in a
group without a near-copy in it; what is one is told by difflib: at least 70 % of the shorter text's syllables stand in the
other, in order. Beside it, in the same run, what MinHash estimates, computed exactly: that the Jaccard similarity of
5-syllable runs is at least .5.

`--index` builds an index of everything with `Index.update`, checks that it has the same groups, and times queries with
and without folding.
"""

import argparse
import difflib
import json
import lzma
import random
import resource
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import median

from htxsearch import Index
from htxsearch.indexing.reprints import Sketches, sketch
from htxsearch.text.analysis import IS_CAPITAL, Terms
from htxsearch.text.normalize import canonical_spelling, nfc
from htxsearch.text.sentences import sentences
from htxsearch.text.tokens import terms, tokens

Row = dict[str, str]

LEADS = (
    "(Trang tin Bản Xa) - Câu chuyện dưới đây được nhiều bạn đọc quan tâm trong tuần qua.",
    "Nguồn tin của chúng tôi cho hay, sự việc đã được ghi nhận đầy đủ; toà soạn xin giới thiệu cùng bạn đọc nội dung chi tiết.",
    "Tin nhanh buổi chiều: mời quý vị theo dõi.",
)
CAPTIONS = (
    "Ảnh minh hoạ: Hoàng Lê",
    "Một góc nơi xảy ra câu chuyện. Ảnh chụp chiều hôm trước của cộng tác viên.",
    "(Ảnh: tư liệu)",
)
LICENCES = (
    "Bản quyền thuộc Trang tin Bản Xa. Cấm sao chép dưới mọi hình thức.",
    "Theo Bản Xa",
    "Bài viết được đăng lại có sự đồng ý.",
)
TITLES = ("Tin đáng chú ý trong ngày", "Nhìn lại một câu chuyện", "Chuyện kể từ cơ sở")
_OLD, _NEW = ("oà oá oả oã oạ oè oé oẻ oẽ oẹ uỳ uý uỷ uỹ uỵ", "òa óa ỏa õa ọa òe óe ỏe õe ọe ùy úy ủy ũy ụy")


def read(path: Path) -> list[Row]:
    """Return the articles of a file."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def cut(text: str, share: float, chance: random.Random) -> str:
    """Return about that share of a text: its beginning, or all of it but some sentences."""
    spans = sentences(text)
    if chance.random() < 0.5:
        end = next((one.end for one in spans if one.end >= share * len(text)), len(text))
        return text[:end]
    left_out = set(chance.sample(range(len(spans)), round((1 - share) * len(spans))))
    kept = [text[one.start : one.end] + ("\n" if "\n" in text[one.end : one.end + 2] else " ") for one in spans]
    return "".join(kept[at] for at in range(len(spans)) if at not in left_out).strip()


def copy_of(row: Row, number: int, chance: random.Random) -> Row:
    """Return a reprint of an article."""
    text = cut(nfc(row["text"]), chance.uniform(0.4, 0.9), chance)
    if chance.random() < 0.5:
        lines = text.split("\n")
        lines.insert(chance.randrange(len(lines) + 1), chance.choice(CAPTIONS))
        text = "\n".join(lines)
    if chance.random() < 0.5:
        text = f"{chance.choice(LEADS)}\n{text}"
    if chance.random() < 0.5:
        text = f"{text}\n{chance.choice(LICENCES)}"
    if chance.random() < 0.5:
        text = moved(text)
    return {"id": f"copy-{number}", "title": f"{chance.choice(TITLES)} ({number})", "text": text}


def moved(text: str) -> str:
    """Return a text with the tone marks of oà, uý … in the other placement."""
    swap = dict(zip(_OLD.split() + _NEW.split(), _NEW.split() + _OLD.split(), strict=True))
    return " ".join(_moved(word, swap) for word in text.split(" "))


def _moved(word: str, swap: Mapping[str, str]) -> str:
    for old, new in swap.items():
        if old in word and canonical_spelling(word.replace(old, new)) == canonical_spelling(word):
            return word.replace(old, new)
    return word


def terms_of(text: str) -> Terms:
    """Return what a sketch is made of, without cutting words."""
    found = tokens(text)
    return Terms(tuple(one.term for one in found), (), bytes(IS_CAPITAL * text[one.start].isupper() for one in found))


def near_copy(one: str, other: str) -> float:
    """Return the share of the shorter text's syllables that stand in the other in order, by difflib."""
    short, long = sorted(([canonical_spelling(term) for term in terms(text)] for text in (one, other)), key=len)
    blocks = difflib.SequenceMatcher(None, short, long, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size > 1) / max(1, len(short))


def plain_minhash(one: str, other: str) -> bool:
    """Tell whether the Jaccard similarity of two texts' 5-syllable runs, which MinHash estimates, is at least .5."""
    first, second = (set(zip(*(part[at:] for at in range(5)), strict=False)) for part in map(_normal, (one, other)))
    return len(first & second) >= 0.5 * len(first | second)


def _normal(text: str) -> list[str]:
    return [canonical_spelling(term) for term in terms(text)]


def measured(work: Callable[[], object]) -> float:
    """Return the seconds some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def grouped(bodies: Mapping[str, str]) -> list[list[str]]:
    """Return the groups of some texts, and print what they cost."""
    parts = {one: terms_of(body) for one, body in bodies.items()}
    sketches = Sketches({}, {})
    taken = measured(lambda: [sketches.put(one, sketch([part])) for one, part in parts.items()])  # type: ignore[func-returns-value]
    print(f"sketches: {1000 * taken / len(bodies):.3f} ms an article")
    blobs: dict[str, bytes] = {}
    print(f"groups, the first time: {measured(lambda: blobs.update(sketches.blobs(bodies.__getitem__))):.2f} s", end="")
    print(f", again: {measured(lambda: blobs.update(sketches.blobs(bodies.__getitem__))):.3f} s")
    print(f"kept: {len(blobs['sketches']) / len(bodies):.0f} bytes an article; groups {len(blobs['reprints'])} bytes in all")
    found: list[list[str]] = json.loads(blobs["reprints"])
    return found


def judge(groups: Sequence[Sequence[str]], bodies: Mapping[str, str], pairs: Mapping[str, str], show: int) -> bool:
    """Print found and wrongly joined; tell whether both are as promised."""
    of = {one: set(group) for group in groups for one in group}
    found = [original for copy, original in pairs.items() if original in of.get(copy, ())]
    plain = sum(plain_minhash(bodies[copy], bodies[original]) for copy, original in pairs.items())
    print(f"found: {len(found) / len(pairs):.3f} of {len(pairs)} copies; by plain MinHash: {plain / len(pairs):.3f}")
    print(f"  missed: {[copy for copy, original in pairs.items() if original not in of.get(copy, ())][:show]}")
    made = set(pairs) | set(pairs.values())
    others = [one for one in bodies if one not in made]
    shares = {(one, other): near_copy(bodies[one], bodies[other]) for group in groups for one, other in combinations(group, 2)}
    best = {one: max(share for pair, share in shares.items() if one in pair) for one in others if one in of}
    wrong = [one for one, share in best.items() if share < 0.7]
    rate = len(wrong) / len(others)
    print(f"wrongly joined: {rate:.5f} of {len(others)} others ({len(wrong)}); rightly: {len(best) - len(wrong)}")
    print("  the least alike, to be read:")
    for share, pair in sorted((share, pair) for pair, share in shares.items() if not made & set(pair))[:show]:
        print(f"    {share:.2f} {pair[0]} {pair[1]}")
    return len(found) >= 0.98 * len(pairs) and rate <= 0.001


def through_index(rows: Sequence[Row], groups: Sequence[Sequence[str]]) -> None:
    """Index everything, check the groups, and print what queries cost."""
    with tempfile.TemporaryDirectory() as name:
        corpus = Path(name, "corpus")
        corpus.mkdir()
        lines = (json.dumps({key: row[key] for key in ("id", "title", "text")}, ensure_ascii=False) for row in rows)
        (corpus / "news.jsonl").write_text("\n".join(lines), "utf-8")
        with Index(Path(name, "index"), corpus=corpus) as index:
            print(f"indexing everything: {measured(index.update):.1f} s")
            told = {one: {other.article_id for other in index.reprints(one).others} for group in groups for one in group}
            assert told == {one: {*group} - {one} for group in groups for one in group}, "the index has other groups"
            queries = [row["title"] for row in random.Random(7).sample(list(rows), 300)]
            for query in queries:
                index.search(query)
            for all_reprints in (True, False, True, False):
                took = [index.search(query, all_reprints=all_reprints).took_ms for query in queries]
                way = "each apart" if all_reprints else "folded"
                print(f"query, {way}: p50 {median(took):.2f} ms, mean {sum(took) / len(took):.2f} ms")
            more = [{**row, "id": f"new-{row['id']}", "text": cut(row["text"], 0.6, random.Random(1))} for row in rows[:10]]
            with (corpus / "news.jsonl").open("a", encoding="utf-8") as file:
                file.writelines(f"\n{json.dumps(row, ensure_ascii=False)}" for row in more)
            print(f"adding ten: {measured(index.update):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10, help="how many ids to print for reading")
    parser.add_argument("--index", action="store_true", help="go through an index, too (minutes)")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    others = read(options.data / "news" / "news-20k.jsonl.xz")
    real = [{**row, "id": f"htx-{row['id']}"} for row in read(options.data / "news" / "htx-news.jsonl.xz")]
    originals = chance.sample([row for row in real if len(terms(row["text"])) >= 100], options.pairs)
    copies = [copy_of(row, number, chance) for number, row in enumerate(originals)]
    rows = [*others, *originals, *copies]
    bodies = {row["id"]: nfc(row["text"]) for row in rows}
    assert len(bodies) == len(rows)
    groups = grouped(bodies)
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, the texts among it")
    kept = judge(groups, bodies, {copy["id"]: row["id"] for copy, row in zip(copies, originals, strict=True)}, options.show)
    if options.index:
        through_index(rows, groups)
    if not kept:
        raise SystemExit("not as promised: found >= .98, wrongly joined <= .001")


if __name__ == "__main__":
    main()
