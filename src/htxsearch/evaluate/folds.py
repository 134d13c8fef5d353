"""Divide judged questions by their documents.

Every figure can so come from a model that never saw the document.
A figure is *fitted* if the model that answers has learnt from the question or from another question about the same document,
and *left-out* if it has not. Only left-out figures pin floors. A set that no model has learnt from gives left-out figures by
itself. For a set that a model has learnt from there are two ways:

folds       The documents are divided into a few folds; one model is learnt without each fold and answers its questions
            (M. Stone, "Cross-Validatory Choice", 1974). `evals/folds/` holds these models; the training scripts write them.
left out    `left-out.txt` in the folder of a set names documents, and questions that nothing answers, that no training
            reads. The product's own model answers the questions about them.

Documents that answer the same question lie in the same fold.
"""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["LEFT_OUT_FILE", "document_groups", "fold_of", "is_for_calibration", "read_left_out"]

LEFT_OUT_FILE = "left-out.txt"


def document_groups(documents_of: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the group of each question.

    It is the smallest document id that a chain of shared documents leads to.
    A question without a document, one that nothing answers, is a group of its own.
    """
    parent: dict[str, str] = {}

    def root(document: str) -> str:
        while parent.setdefault(document, document) != document:
            parent[document] = parent[parent[document]]
            document = parent[document]
        return document

    first = {}
    for question, documents in documents_of.items():
        ids = sorted(documents) or [question]
        first[question] = ids[0]
        for other in ids[1:]:
            smaller, larger = sorted((root(ids[0]), root(other)))
            parent[larger] = smaller
    return {question: root(document) for question, document in first.items()}


def fold_of(group: str, folds: int) -> int:
    """Return the fold of a group of documents, 0 to `folds` - 1.

    It is found by the CRC-32 of the group.
    """
    return zlib.crc32(group.encode()) // 3 % folds


def is_for_calibration(document: str) -> bool:
    """Return True if the reader does not learn from the document.

    The confidence is learnt from such documents: a seventh, by the CRC-32.
    """
    return zlib.crc32(f"cal{document}".encode()) % 7 == 0


def read_left_out(folder: Path) -> frozenset[str]:
    """Return the ids in the `left-out.txt` of a set's folder; none without that file."""
    path = folder / LEFT_OUT_FILE
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return frozenset(line for line in lines if line and not line.startswith("#"))
