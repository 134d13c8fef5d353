"""Words that carry little of what a question is about: they match, but are not worth marking.

Closed classes only: particles, prepositions, pronouns and question words, by their normal form.
"""

from htxsearch.text.normalize import fold, is_marked, key, normal

__all__ = ["QUESTION_PHRASES", "is_interrogative", "is_stop_word"]

_FILLERS = frozenset(
    normal(word)
    for word in (
        "là và của có các những cái một được bị bởi cho với về từ đến tới ở tại trong ngoài trên dưới vào ra theo"
        " khi nào đâu gì ai sao thế bao nhiêu mấy hay hoặc nhưng mà thì đã đang sẽ này đó kia ấy nọ rằng nên do vì"
        " để cùng cũng như việc sự không hãy xin tôi biết bằng lại còn chỉ rất"
    ).split()
)
_INTERROGATIVES = frozenset(normal(word) for word in "gì nào ai đâu sao mấy bao nhiêu khi hãy thế".split())
_INTERROGATIVE_KEYS = frozenset(key(word) for word in "gì nào ai đâu sao mấy bao nhiêu hãy".split())
_FILLER_KEYS = frozenset(key(word) for word in _FILLERS)

QUESTION_PHRASES = {
    (fold(first), fold(second)): (first, second)
    for first, second in map(
        str.split,
        (
            *("bao nhiêu", "bao lâu", "bao giờ", "bao xa", "là gì", "cái gì", "là ai", "thế nào", "khi nào"),
            *("lúc nào", "nơi nào", "ở đâu", "vì sao", "tại sao", "ra sao"),
        ),
    )
}
"""Two syllables that ask, by their unmarked forms: questions hold them, the texts that answer hardly do."""


def is_stop_word(term: str) -> bool:
    """Tell whether a query term is one; typed without marks, its key decides."""
    return normal(term) in _FILLERS if is_marked(term) else key(term) in _FILLER_KEYS


def is_interrogative(term: str) -> bool:
    """Tell whether a query term asks (bao nhiêu, ai, đâu): what answers it does not hold it."""
    return normal(term) in _INTERROGATIVES if is_marked(term) else key(term) in _INTERROGATIVE_KEYS
