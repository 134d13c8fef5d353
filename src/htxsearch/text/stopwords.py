"""Stop words: words that carry little of a question's subject.

They match, but are not highlighted. Closed classes only: particles, prepositions, pronouns and question words,
compared by canonical spelling. A module of its own although short: it is the only list of them, and ranking,
highlighting and answering all read it.
"""

from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, strip_diacritics

__all__ = ["QUESTION_PHRASES", "STOP_WORDS", "is_interrogative", "is_stop_word"]

STOP_WORDS = frozenset(
    canonical_spelling(word)
    for word in (
        "là và của có các những cái một được bị bởi cho với về từ đến tới ở tại trong ngoài trên dưới vào ra theo"
        " khi nào đâu gì ai sao thế bao nhiêu mấy hay hoặc nhưng mà thì đã đang sẽ này đó kia ấy nọ rằng nên do vì"
        " để cùng cũng như việc sự không hãy xin tôi biết bằng lại còn chỉ rất"
    ).split()
)
_FOLDED_STOP_WORDS = frozenset(folded_form(word) for word in STOP_WORDS)
_INTERROGATIVES = frozenset(canonical_spelling(word) for word in "gì nào ai đâu sao mấy bao nhiêu khi hãy thế".split())
_FOLDED_INTERROGATIVES = frozenset(folded_form(word) for word in "gì nào ai đâu sao mấy bao nhiêu hãy".split())

QUESTION_PHRASES = {
    (strip_diacritics(first), strip_diacritics(second)): (first, second)
    for first, second in map(
        str.split,
        (
            *("bao nhiêu", "bao lâu", "bao giờ", "bao xa", "là gì", "cái gì", "là ai", "thế nào", "khi nào"),
            *("lúc nào", "nơi nào", "ở đâu", "vì sao", "tại sao", "ra sao"),
        ),
    )
}
"""Two syllables that ask, by their form without diacritics: common in questions, rare in the texts that answer them."""


def is_stop_word(term: str) -> bool:
    """Return True for a stop word.

    A term typed without diacritics is compared by its folded form.
    """
    return canonical_spelling(term) in STOP_WORDS if has_diacritics(term) else folded_form(term) in _FOLDED_STOP_WORDS


def is_interrogative(term: str) -> bool:
    """Return True for interrogatives (bao nhiêu, ai, đâu).

    They do not occur in answers.
    """
    if has_diacritics(term):
        return canonical_spelling(term) in _INTERROGATIVES
    return folded_form(term) in _FOLDED_INTERROGATIVES
