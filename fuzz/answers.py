"""Coverage-guided fuzzing of the grader with bytes; it stops at the first exception or slow answer.

Run `pip install -e '.[fuzz]'` and then `python fuzz/answers.py -max_total_time=600`.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["derive"]):
    from derive.grading.grade import ask, judge
    from derive.problem.load import load

ASKED = ask(load("softmax-regression"), "W", "", None)
VERDICTS = {"correct", "layout", "incorrect", "undecided", "unreadable"}


def one_answer(data: bytes) -> None:
    """Every text gets a verdict."""
    verdict = judge(None, ASKED, data.decode("utf-8", "replace"))
    assert verdict.verdict in VERDICTS


if __name__ == "__main__":
    atheris.Setup([*sys.argv, "-timeout=5", "-rss_limit_mb=2048"], one_answer)
    atheris.Fuzz()
