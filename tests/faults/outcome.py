"""What a trial came to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["FAILURES", "Failed", "Outcome"]

FAILURES = ("lost", "doubled", "wrong", "unmended", "run", "hung", "traceback")
"""What no trial may come to.

An acknowledged article is gone; an article is there twice; an answer is none of a clean build's and no error said so, or an
error names no command; the command that an error names does not mend it; code of an index was run; more than 10 s of CPU or no
end at all; an exception that is none of ours.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a trial.

    `what` is "right", "mended" (an error came first, and its command mended it), or one of FAILURES. `count` is how many
    inputs a trial had, `peak_mb` the memory of its process.
    """

    what: str = "right"
    detail: str = ""
    count: int = 1
    peak_mb: float = 0.0

    @property
    def failed(self) -> bool:
        return self.what in FAILURES

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> "Outcome":
        return cls(**values)


class Failed(Exception):
    """Ends a trial with one of FAILURES."""

    def __init__(self, what: str, detail: str) -> None:
        assert what in FAILURES
        super().__init__(what, detail)
        self.outcome = Outcome(what, detail)
