"""Words (từ) as underthesea finds them, as spans into the text.

This is the only importer of underthesea. `word_tokenize` cuts a line into tokens by a regular expression, describes each
token to a CRF by 43 features, and lets the CRF label them. Nearly all of its time goes into strings that describe the same
tokens and n-grams again and again. `_FastSegmenter` takes underthesea's expression, dictionary and model, keeps the tokens of
what stands between two blanks, and adds up the weights that the model stores (`text.word_labels`): a tenth of the CPU time, and
segmenting was most of indexing (docs/decisions/074, 103). Where underthesea is built otherwise, `word_tokenize` is called.

underthesea rewrites tone placement by default. The rewriting is switched off, which lets every word be found again
in the text (measured: 61,734 of 61,734 tokens of real news align).
"""

import pickle
import re
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from htxsearch.text.sentences import Span, lines

if TYPE_CHECKING:
    from htxsearch.text.word_labels import Numbers

__all__ = ["plain_segment", "segmenter_version", "word_spans"]

_KEPT_PIECES = 1 << 15
"""What stands between two blanks is mostly a syllable of some thousand, now and then with a sign: 500 bytes each, 16 MB."""
_ENDLESS = re.compile(r"\S{1000}")
_SAMPLE = "Sáng 7/8, bà con xã viên HTX Tân Cương (Thái Nguyên) thu 1.264 tấn chè búp tươi, đạt kế hoạch."
_KNOWN_FILES = "2930cd104aefae84a45a94f8e3dd66e9"
"""The digest of underthesea 9.5.0's files: the words of 5,000 articles were compared, so no sample is needed."""


def word_spans(text: str) -> list[Span]:
    """Return the words of NFC `text` in order; a word never spans two lines.

    Punctuation is not a word. A word that the segmenter altered, so that it is not in the text, is left out: its
    syllables are indexed all the same.
    """
    fast = _fastest()
    pieces = [piece for line in lines(text) for piece in _pieces(text, line)]
    found, others = fast.spans(text, pieces) if fast else ([], pieces)
    spans = list(map(tuple.__new__, repeat(Span), found))  # twice as fast as Span(…) for each
    for line in others:
        spans += [span for span in _located(text, line) if any(map(str.isalnum, text[span.start : span.end]))]
    return sorted(spans) if others else spans


def _located(text: str, line: Span) -> Iterable[Span]:
    """Yield the segmenter's words of a line where they are in the text."""
    searched = line.start
    for word in plain_segment(text[line.start : line.end]):
        span = _locate(text, word, searched, line.end)
        if span is not None:
            searched = span.end
            yield span


def _pieces(text: str, line: Span) -> list[Span]:
    """Return a line, cut after each 1,000 characters without a blank.

    underthesea takes a time that grows with the square of such a run.
    """
    if line.end - line.start < 1000:
        return [line]
    ends = [run.end() for run in _ENDLESS.finditer(text, line.start, line.end)]
    return [Span(start, end) for start, end in pairwise([line.start, *ends, line.end]) if start < end]


def _locate(text: str, word: str, start: int, end: int) -> Span | None:
    """Find `word`, each blank of which may be any run of blanks, in `text[start:end]`."""
    if text.startswith(" ", start):
        start += 1
    if text.startswith(word, start, end):  # nearly always
        return Span(start, start + len(word))
    first: int | None = None
    for part in word.split():
        position = text.find(part, start, end)
        if position < 0:
            return None
        first = position if first is None else first
        start = position + len(part)
    return None if first is None else Span(first, start)


def segmenter_version() -> str:
    """Return the installed underthesea version.

    Other versions may cut words otherwise.
    """
    from importlib import metadata  # 20 ms, and no query needs it

    return metadata.version("underthesea")


def plain_segment(line: str) -> list[str]:
    """Return the words and punctuation of a line in order, by one call of underthesea."""
    from underthesea import word_tokenize  # 0.6 s, then 0.3 s for the model: only lines that need it pay

    words: list[str] = word_tokenize(line, use_token_normalize=False)
    return words


@cache
def _fastest() -> "_FastSegmenter | None":
    """Return the fast segmenter, None if it cannot be used.

    It can be used if the installed underthesea is built as this module expects.
    """
    try:
        with _tokenizer() as parts:
            fast = _FastSegmenter(parts)
        return fast if parts.digest() == _KNOWN_FILES or fast.segment(_SAMPLE) == plain_segment(_SAMPLE) else None
    except Exception:  # another version may differ in any way; then only its public function is safe
        return None


class _Parts(NamedTuple):
    """underthesea's expression for tokens and normalisation of characters.

    `files` are all that decide how words are cut.
    """

    tokens: Callable[[str], Iterator[re.Match[str]]]
    normalize: Callable[[str], str]
    model: Path
    files: list[Path]

    def digest(self) -> str:
        """Return a digest of the files."""
        from hashlib import blake2b

        digest = blake2b(digest_size=16)
        for file in self.files:
            digest.update(file.read_bytes())
        return digest.hexdigest()


@contextmanager
def _tokenizer() -> Iterator[_Parts]:
    """Import the parts of underthesea that cut tokens, and nothing else of it.

    `import underthesea` loads five models: 0.5 s. Raises errors of any kind if the parts are not as expected.
    """
    from importlib.util import find_spec
    from types import ModuleType

    before = {name for name in sys.modules if name.partition(".")[0] == "underthesea"}
    try:
        if not before:
            spec = find_spec("underthesea")
            assert spec is not None
            assert spec.submodule_search_locations is not None
            package = sys.modules["underthesea"] = ModuleType("underthesea")
            package.__path__ = list(spec.submodule_search_locations)
        from underthesea.pipeline.text_normalize import character_normalize
        from underthesea.pipeline.word_tokenize import regex_tokenize

        source = Path(regex_tokenize.__file__)
        model = next(source.parent.glob("models/ws_crf_*"))
        rules = sorted(Path(character_normalize.__file__).parent.glob("*"))
        files = [source, source.with_name("__init__.py"), *(one for one in rules if one.is_file()), *sorted(model.iterdir())]
        yield _Parts(regex_tokenize.patterns.finditer, character_normalize.normalize_characters_in_text, model, files)
    finally:
        if not before:  # a stub: whoever imports underthesea later gets all of it
            for name in [name for name in sys.modules if name.partition(".")[0] == "underthesea"]:
                del sys.modules[name]


def _unpickled(path: Path) -> Any:
    """Return what underthesea keeps in a file.

    joblib, which wrote it, is eight times as slow at reading it.
    """
    return pickle.loads(path.read_bytes())


class _Tokens(NamedTuple):
    """The tokens of some lines: number, start and end of each.

    `sizes` are how many each line has.
    """

    numbers: "Numbers"
    starts: "Numbers"
    ends: "Numbers"
    sizes: list[int]


class _FastSegmenter:
    """underthesea's tokenizer, and its labels of the tokens."""

    def __init__(self, parts: _Parts) -> None:
        """Read the model. Raises errors of any kind if it is not as expected."""
        from underthesea_core import CRFFeaturizer

        from htxsearch.text.word_labels import KINDS, Labeller, stored_model

        dictionary: set[str] = _unpickled(parts.model / "dictionary.bin")
        describe = CRFFeaturizer(sorted(KINDS[0]), dictionary).process
        self._labeller: Labeller = Labeller(
            stored_model(parts.model / "models.bin"),
            _unpickled(parts.model / "features.bin"),
            dictionary,
            lambda token: describe([[[token]]])[0][0],
        )
        self._tokens, self._normalize = parts.tokens, parts.normalize
        self._forget()

    def _forget(self) -> None:
        self._labeller.forget()
        self._kept = _KeptPieces(self._cut)
        # Of all pieces kept: the number, start and end of their tokens; where those of each piece begin
        self._numbers, self._starts, self._ends, self._firsts = (array("q") for _ in range(4))
        self._firsts.append(0)

    def segment(self, line: str) -> list[str]:
        """Return the words and punctuation of a line, as `word_tokenize` does."""
        normal = self._normalize(line)
        tokens = self._cut_lines(normal, [Span(0, len(normal))])
        labels, undecided = self._labeller.labels(tokens.numbers, tokens.sizes)
        if undecided:
            return plain_segment(line)
        words: list[str] = []
        for start, end, continues in zip(tokens.starts.tolist(), tokens.ends.tolist(), labels.tolist(), strict=True):
            if continues:
                words[-1] += " " + normal[start:end]
            else:
                words.append(normal[start:end])
        return words

    def spans(self, text: str, pieces: Sequence[Span]) -> tuple[Iterable[tuple[int, int]], list[Span]]:
        """Return the start and end of the words of some lines, in order.

        Returned are the lines, too, that `word_tokenize` writes otherwise, or for which it has to decide; the words are then
        those of the other lines.
        """
        import numpy as np

        if self._labeller.is_full() or len(self._kept) > _KEPT_PIECES:
            self._forget()
        others: list[Span] = []
        if self._normalize(text) != text:
            others = [one for one in pieces if self._normalize(written := text[one.start : one.end]) != written]
            pieces = [one for one in pieces if one not in others]
        tokens = self._cut_lines(text, pieces)
        if not len(tokens.numbers):
            return [], others
        labels, undecided = self._labeller.labels(tokens.numbers, tokens.sizes)
        begins = np.flatnonzero(~labels)
        ends = np.append(begins[1:], len(labels)) - 1
        is_word = np.logical_or.reduceat(self._labeller.are_words(tokens.numbers), begins)
        for number in undecided:
            others.append(pieces[number])
            is_word &= ~((tokens.starts[begins] >= pieces[number].start) & (tokens.starts[begins] < pieces[number].end))
        words = zip(tokens.starts[begins[is_word]].tolist(), tokens.ends[ends[is_word]].tolist(), strict=True)
        return words, others

    def _cut_lines(self, text: str, lines: Iterable[Span]) -> _Tokens:
        """Return the tokens of some lines of a text."""
        import numpy as np

        parts: list[str] = []
        counts: list[int] = []
        places: list[int] = []
        for line in lines:
            of_line = self._parts_of(text[line.start : line.end])
            places.append(line.start)
            counts.append(len(of_line))
            parts += of_line
        kept = np.fromiter(map(self._kept.__getitem__, parts), np.int64, len(parts))
        lengths = np.fromiter(map(len, parts), np.int64, len(parts)) + 1
        firsts, numbers, starts, ends = (
            np.frombuffer(part, np.int64) for part in (self._firsts, self._numbers, self._starts, self._ends)
        )
        # Where each part begins: behind those before it, counted from the start of its line
        behind = np.cumsum(lengths)
        line_of_part = np.repeat(np.arange(len(counts)), counts)
        first_parts = np.cumsum([0, *counts])[:-1]
        begins = behind - lengths
        begins += np.array(places, np.int64)[line_of_part] - begins[first_parts][line_of_part]
        tokens_of = firsts[kept + 1] - firsts[kept]
        part_of = np.repeat(np.arange(len(parts)), tokens_of)
        before = np.cumsum(tokens_of) - tokens_of
        at = firsts[kept][part_of] + np.arange(len(part_of)) - before[part_of]
        sizes = np.bincount(line_of_part[part_of], minlength=len(counts)).tolist()
        return _Tokens(numbers[at], starts[at] + begins[part_of], ends[at] + begins[part_of], sizes)

    def _parts_of(self, line: str) -> list[str]:
        """Return what stands between the blanks of a line.

        The last part ends with a line break: the expression sees whether it is the last, TP. being a token before a blank only.
        """
        if "Th S" in line or "Th s" in line:  # the one token with a blank in it: the expression has Th.S, not Th\.S
            return [line + "\n"]
        parts = line.split(" ")
        parts[-1] += "\n"
        return parts

    def _cut(self, part: str) -> None:
        """Keep the tokens of a part of a line.

        No other token has a blank in it, and no part of the expression looks farther than the next character.
        """
        for match in self._tokens(part.removesuffix("\n") if part.endswith("\n") else part + " "):
            self._numbers.append(self._labeller.number(match[0]))
            self._starts.append(match.start())
            self._ends.append(match.end())
        self._firsts.append(len(self._numbers))


class _KeptPieces(dict[str, int]):
    """The numbers of what stands between blanks, by its text.

    `cut` is called for new ones.
    """

    def __init__(self, cut: Callable[[str], None]) -> None:
        super().__init__()
        self._cut = cut

    def __missing__(self, part: str) -> int:
        self._cut(part)
        self[part] = number = len(self)
        return number
