"""The commands: what they print, where, and with which exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from derive import __version__
from derive.launch import commands
from derive.lines import MAX_BYTES, identifier_in, parse, plain, read_lines
from derive.plaintext import readable

Run = Callable[..., Result]
PROBLEM = {"loss": r"J = \frac{1}{2} s^2", "symbols": {"s": "scalar"}}


def line(answer: str = "s", **more: Any) -> str:
    return json.dumps({"id": "q", "problem": PROBLEM, "wrt": "s", "answer": answer, **more})


def verdicts(result: Result) -> list[dict[str, Any]]:
    return [json.loads(text) for text in result.stdout.splitlines()]


# ------------------------------------------------------------------------------------------------ list, help


def test_the_catalogue_as_json(run: Run) -> None:
    rows = json.loads(run("list", "--json").stdout)
    assert {"id", "title", "topic", "source"} <= set(rows[0])
    assert "softmax-regression" in [row["id"] for row in rows]


def test_the_catalogue_by_topic_and_by_words(run: Run) -> None:
    found = run("list", "softmax", "batch")
    assert found.exit_code == 0
    assert "softmax-batch" in found.stdout
    assert "max-margin" not in found.stdout
    assert "no problem" in run("list", "no-such-word").stdout.lower()


def test_help_and_version(run: Run) -> None:
    assert run("--version").stdout.strip().endswith(__version__)
    text = run("--help").stdout
    assert all(name in text for name in ("list", "show", "numpy", "check", "grade", "Exit codes"))


# ----------------------------------------------------------------------------------------------------- check

CHECKS = [
    (r"\delta x^\top", 0, "correct"),
    (r"x \delta^\top", 1, "layout"),
    (r"-\delta x^\top", 1, "sign"),
    ("-x", 1, "shape"),
    (r"--\delta x^\top", 0, "correct"),
    (r"\delta x^", 3, "unreadable"),
    ("q", 3, "unknown-symbol"),
]


@pytest.mark.parametrize(("answer", "code", "word"), CHECKS)
def test_one_answer(run: Run, answer: str, code: int, word: str) -> None:
    found = run("check", "softmax-regression", "--wrt", "W", answer)
    assert (found.exit_code, found.stderr) == (code, "")
    assert word in found.stdout
    as_json = run("check", "softmax-regression", "--json", "--wrt", "W", "--", answer)
    assert as_json.exit_code == code
    (verdict,) = verdicts(as_json)
    assert word in (verdict["verdict"], verdict["code"])


def test_an_answer_in_numerator_layout(run: Run) -> None:
    asked = ("check", "softmax-regression", "--wrt", "W", "--layout", "numerator")
    assert run(*asked, r"x \delta^\top").exit_code == 0
    assert run(*asked, r"\delta x^\top").exit_code == 1


def test_a_jacobian(run: Run) -> None:
    answer = r"\operatorname{diag}(p) - p p^\top"
    assert run("check", "softmax-jacobian", "--of", "p", "--wrt", "z", answer).exit_code == 0


def test_a_wrong_answer_comes_with_its_counterexample(run: Run) -> None:
    text = run("check", "softmax-regression", "--wrt", "x", r"W^\top y").stdout
    assert all(part in text for part in ("C = ", "d = ", "your formula gives", "the derivative is", "read as"))


def test_an_unreadable_answer_is_marked_where_it_fails(run: Run) -> None:
    lines = run("check", "softmax-regression", "--wrt", "x", r"W^\top (\hat{y} - r)").stdout.splitlines()
    above = next(k for k, text in enumerate(lines) if text.strip() == "^")
    assert lines[above - 1][lines[above].index("^")] == "r"


# --------------------------------------------------------------------------------- errors of use, of problems


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("check", "softmax-regresion", "--wrt", "W", "x"), "did you mean softmax-regression"),
        (("check", "softmax-regression", "--wrt", "Q", "x"), "softmax-regression: wrt: Q"),
        (("check", "softmax-regression", "x"), "--wrt"),
        (("check", "softmax-regression", "--wrt", "W", "--layout", "odd", "x"), "odd"),
        (("show", "no-such-file.toml"), "no-such-file.toml"),
        (("numpy", "no-such-problem"), "no-such-problem"),
        (("grade", "no-such-file.jsonl"), "no-such-file.jsonl"),
        (("no-such-command",), "no-such-command"),
    ],
)
def test_wrong_use_is_told_on_standard_error(run: Run, arguments: tuple[str, ...], told: str) -> None:
    found = run(*arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert told in found.stderr


def test_a_problem_file_that_is_wrong_names_file_key_and_place(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("loss = 'J = x^\\top x'\n[symbols]\nx = 'd'\n[define]\n'z' = 'x + q'\n", encoding="utf-8")
    found = run("check", str(path), "--wrt", "x", "2 x")
    assert found.exit_code == 2
    assert "mine.toml: define.'z'" in found.stderr
    assert found.stderr.splitlines()[-2:] == ["x + q", "    ^"]


# ----------------------------------------------------------------------------------------------------- grade


def test_the_example_homework(run: Run, root: Path) -> None:
    path = root / "examples" / "homework.jsonl"
    asked = [json.loads(text)["id"] for text in path.read_text(encoding="utf-8").splitlines()]
    found = run("grade", str(path), "--json")
    assert found.exit_code == 1
    assert [verdict["id"] for verdict in verdicts(found)] == asked
    assert {verdict["verdict"] for verdict in verdicts(found)} >= {"correct", "layout", "incorrect", "unreadable"}
    report = run("grade", str(path))
    assert report.exit_code == 1
    assert all(identifier in report.stdout for identifier in asked)
    assert report.stdout.splitlines()[-1].startswith(f"{len(asked)} answers: ")


@pytest.mark.parametrize(
    ("answers", "code"),
    [((), 0), (("s",), 0), (("s", "2 s"), 1), (("s", "q"), 3), (("q", "2 s"), 1), (("s", "s +"), 3)],
)
def test_exit_codes(run: Run, answers: tuple[str, ...], code: int) -> None:
    text = "\n".join(line(answer) for answer in answers)
    assert run("grade", "-", stdin=text).exit_code == code
    assert run("grade", "-", "--json", stdin=text).exit_code == code


# Lines that are no question, with the id that is kept.
BAD_LINES: list[tuple[bytes, Any]] = [
    (b"{", None),
    (b"not json at all", None),
    (b'{"id": "m4",}', "m4"),
    (b"true", None),
    (b"[]", None),
    ('\ufeff{"id": "bom"}'.encode(), "bom"),
    (b'{"id": "a"}{"id": "b"}', "a"),
    (b"\x80\x80", None),
    (b'{"id": "bytes", "answer": "\xff"}', "bytes"),
    (b'{"id": 17, "answer": }', 17),
    (b'{"a":' * 50_000, None),
    (b'{"id": "deep", "a":' + b"[" * 50_000, "deep"),
    (b'{"id": "half", "answer": "\\ud800"}', "half"),
    (b'{"id": "\\udfff"}', "\udfff"),
    (b'{"id": "twice", "wrt": "s", "wrt": "s"}', "twice"),
    (b'{"id": "first", "id": "second"}', "first"),
    (b'{"id": NaN}', None),
    (b'{"id": 1e999}', None),
    (b'{"id": ' + b"9" * 5000 + b"}", None),
    (b'{"problem": {"id": "inner"}, "id": "outer",', "outer"),
    (b'{"id": "long", "answer": "' + b"s" * MAX_BYTES + b'"}', "long"),
    (b'{"id": "quotes", "x": ' + b'"\\"' * 100_000, "quotes"),
    (b'{"id": "no wrt", "answer": "s"}', "no wrt"),
    (b'{"id": null}', None),
    (b"\xc2\xa0", None),
    (b"\x00", None),
]


def test_every_line_is_answered_and_the_others_are_graded(run: Run) -> None:
    good = line("s", id="good").encode()
    raw = b"\n".join(part for bad, _ in BAD_LINES for part in (good, b"  \t", bad))
    found = verdicts(run("grade", "-", "--json", stdin=raw))
    assert [verdict["verdict"] for verdict in found[::2]] == ["correct"] * len(BAD_LINES)
    assert [(v["verdict"], v["code"]) for v in found[1::2]] == [("unreadable", "bad-line")] * len(BAD_LINES)
    assert [verdict["id"] for verdict in found[1::2]] == [identifier for _, identifier in BAD_LINES]
    assert all(verdict["message"] for verdict in found)


def test_a_file_may_start_with_a_byte_order_mark_and_end_lines_as_windows_does(run: Run) -> None:
    raw = b"\xef\xbb\xbf" + line().encode() + b"\r\n\r\n" + line().encode() + b"\r\n"
    assert [verdict["verdict"] for verdict in verdicts(run("grade", "-", "--json", stdin=raw))] == ["correct"] * 2


def test_a_line_of_two_megabytes_is_read(run: Run) -> None:
    found = run("grade", "-", "--json", stdin=line("s", note="x" * 2_000_000))
    assert [verdict["verdict"] for verdict in verdicts(found)] == ["correct"]


def test_the_report_names_lines_without_an_id(run: Run) -> None:
    report = run("grade", "-", stdin=f"\n{line()}\nnot json\n").stdout
    assert "line 3" in report


def test_the_report_cannot_steer_the_terminal(run: Run) -> None:
    report = run("grade", "-", stdin=line("\x1b[2J q [red]\u202e", id="\x1b]0;title\x07[bold]")).stdout
    assert all(character.isprintable() or character == "\n" for character in report)
    assert "[red]" in report
    assert "[bold]" in report


def test_an_error_of_ours_costs_one_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import derive.grading.grade as module

    right = module.grade

    def failing(question: Any) -> Any:
        if question["id"] == "b":
            raise ZeroDivisionError("secret")
        return right(question)

    monkeypatch.setattr(module, "grade", failing)
    text = "\n".join(line(id=identifier) for identifier in "abc")
    found = run("grade", "-", "--json", stdin=text)
    assert found.exit_code == 3
    assert [v["verdict"] for v in verdicts(found)] == ["correct", "undecided", "correct"]
    assert verdicts(found)[1]["code"] == "internal"
    assert verdicts(found)[1]["score"] == 0.0
    assert "secret" not in found.output


# ------------------------------------------------------------------------------------------ show, numpy


def test_a_derivation(run: Run) -> None:
    found = run("show", "softmax-regression")
    assert found.exit_code == 0
    parts = ("Forward", "Backward", "Gradients", "two independent checks", r"\delta x^\top", "C × d")
    assert all(part in found.stdout for part in parts)


def test_a_derivation_as_json(run: Run) -> None:
    found = json.loads(run("show", "softmax-regression", "--json").stdout)
    assert found["gradients"]["W"] == r"\delta x^\top"
    assert found["steps"]


def test_a_derivation_of_one_variable_and_of_a_jacobian(run: Run) -> None:
    assert set(json.loads(run("show", "softmax-regression", "--wrt", "x", "--json").stdout)["gradients"]) == {"x"}
    found = run("show", "softmax-jacobian", "--of", "p", "--wrt", "z", "--json")
    assert list(json.loads(found.stdout)["gradients"].values()) == [r"\operatorname{diag}(p) - p p^\top"]


def test_a_derivation_of_what_is_not_there(run: Run) -> None:
    found = run("show", "softmax-regression", "--wrt", "Q")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "Q" in found.stderr


def test_the_source_for_numpy(run: Run) -> None:
    found = run("numpy", "softmax-regression")
    assert found.exit_code == 0
    compile(found.stdout, "lowered", "exec")


def test_second_derivatives(run: Run) -> None:
    asked = ("show", "softmax-regression", "--hessian", "--wrt", "x", "--wrt", "b", "--wrt", "W")
    found = json.loads(run(*asked, "--json").stdout)
    p = r"\left(\operatorname{diag}(\hat{y}) - \hat{y} \hat{y}^\top\right)"
    assert list(found["gradients"]) == ["x", "b", "W"]
    assert list(found["hessians"]) == ["x", "b", "W", "x|b", "x|W", "b|W"]
    assert found["hessians"]["x"] == rf"W^\top {p} W"
    assert found["hessians"]["b"] == r"\operatorname{diag}(\hat{y}) - \hat{y} \hat{y}^\top"
    assert found["directions"] == {"W": "V", "x|W": "V", "b|W": "V"}
    assert all(check["exact"] for check in found["hessian_checks"].values())
    shown = run(*asked).stdout
    assert "Hessians" in shown
    assert "H[V] = " in shown
    assert "applied to a direction V of the shape of W" in shown
    assert run("show", "softmax-regression", "--hessian", "--of", "z", "--wrt", "x").exit_code == 2


def test_numerator_layout_throughout(run: Run) -> None:
    found = json.loads(run("show", "softmax-regression", "--layout", "numerator", "--wrt", "W", "--json").stdout)
    assert found["layout"] == "numerator"
    assert found["gradients"] == {"W": r"x \delta^\top"}
    shapes = [step["shape"] for step in found["steps"]]
    assert shapes == ["a number", "a row of length C", "a row of length C", "a d × C matrix"]
    shown = run("show", "softmax-regression", "--layout", "numerator").stdout
    assert "Backward, numerator layout" in shown
    assert "Gradients, numerator layout" in shown
    assert json.loads(run("show", "softmax-regression", "--json").stdout)["layout"] == "shape"


LOSS = (r"J = -y^\top \log \hat{y}", "--symbol", "W = C x d", "--symbol", "x=d", "--symbol", "y = C, one-hot")
DEFINED = ("--define", "z = W x", "--define", r"\hat{y} = \operatorname{softmax}(z)", "--name", r"\delta = \hat{y} - y")


def test_a_loss_without_a_file(run: Run) -> None:
    found = json.loads(run("gradient", *LOSS, *DEFINED, "--json").stdout)
    assert found["gradients"] == {"W": r"\delta x^\top", "x": r"W^\top \delta", "y": r"-\log \hat{y}"}
    assert list(json.loads(run("gradient", *LOSS, *DEFINED, "--wrt", "z", "--json").stdout)["gradients"]) == ["z"]
    jacobian = run("gradient", *LOSS, *DEFINED, "--of", "z", "--wrt", "x", "--layout", "numerator", "--json")
    assert json.loads(jacobian.stdout)["gradients"] == {"x": r"W^\top"}
    assert run("gradient", r"-\log \sigma(s)", "--symbol", "s=scalar").exit_code == 0


def test_names_with_an_equals_sign_in_them(run: Run) -> None:
    asked = (
        "gradient",
        "J = -P(O=o|C=c)",
        "--symbol",
        "u = d",
        "--symbol",
        "v = d",
        "--define",
        r"P(O=o|C=c) = \sigma(u^\top v)",
    )
    found = json.loads(run(*asked, "--wrt", "u", "--json").stdout)
    assert found["gradients"].keys() == {"u"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((r"\|W x - y\|^2", "--symbol", "W=C x d"), "--symbol 'x = SHAPE' --symbol 'y = SHAPE'"),
        (("q^2",), "--symbol 'q = SHAPE'"),
        (
            ("z", "--define", "z = W x", "--symbol", "x=d"),
            "--define 'z = W x': W is not declared; add --symbol 'W = SHAPE'",
        ),
        (("s", "--symbol", "s scalar"), "--symbol 's scalar': write NAME = SHAPE"),
        (("s", "--symbol", "s=scalar", "--define", "z ="), "--define 'z =': write NAME = FORMULA"),
        (("s", "--symbol", "s=scalar", "--symbol", "s=d"), "--symbol 's=d': s stands twice"),
        (("s", "--symbol", "s=3 x 4 x 5"), "--symbol 's = 3 x 4 x 5': "),
        (("s", "--symbol", "s=scalar", "--name", "t=s+"), "--name 't = s+': "),
        (("s", "--symbol", "s=scalar", "--wrt", "q"), "--wrt: q"),
        (("s", "--symbol", "s=d"), "LOSS: the loss is s (a column of length d)"),
        (("-", "--symbol", "s=d"), "standard input"),
    ],
)
def test_what_is_wrong_without_a_file_names_the_option(run: Run, arguments: tuple[str, ...], told: str) -> None:
    found = run("gradient", *arguments, stdin="")
    assert (found.exit_code, found.stdout) == (2, "")
    assert told in found.stderr


def test_help_for_a_loss_without_a_file_shows_an_example(run: Run) -> None:
    assert "derive gradient 'J = " in run("gradient", "--help").stdout


TOML = "loss = 'J = \\frac{1}{2} s^2'\n[symbols]\ns = 'scalar'\n"


@pytest.mark.parametrize("text", [TOML, json.dumps(PROBLEM), "\ufeff" + TOML, "\n " + json.dumps(PROBLEM)])
def test_a_problem_on_standard_input(run: Run, text: str) -> None:
    for command in ("show", "gradient"):
        assert json.loads(run(command, "-", "--json", stdin=text).stdout)["gradients"] == {"s": "s"}
    assert run("check", "-", "--wrt", "s", "s", stdin=text).exit_code == 0
    assert "def loss_and_gradients" in run("numpy", "-", stdin=text).stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "standard input: loss: the loss is missing"),
        ("{", "standard input: this is not JSON"),
        ("loss = 3 3", "standard input: this is not TOML"),
        (b"\xff", "standard input: this is not UTF-8: byte 1"),
        ('{"loss": "q"}', "standard input: loss: q is not declared"),
    ],
)
def test_standard_input_that_is_no_problem(run: Run, text: str | bytes, told: str) -> None:
    found = run("show", "-", stdin=text)
    assert (found.exit_code, found.stdout) == (2, "")
    assert told in found.stderr


def test_an_error_of_the_question_names_standard_input(run: Run) -> None:
    assert "standard input: wrt: q" in run("check", "-", "--wrt", "q", "s", stdin=TOML).stderr


# ------------------------------------------------------------------------------------------ other processes


def process(root: Path, *arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, str(root / "cli.py"), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, env={**os.environ, **environment})


def test_the_file_in_the_checkout_and_the_module_do_the_same(root: Path, tmp_path: Path) -> None:
    asked = ("check", "sigmoid", "--wrt", "z", "--json", r"\sigma(z) (1 - \sigma(z))")
    by_file = process(root, *asked)
    by_module = subprocess.run([sys.executable, "-m", "derive", *asked], cwd=root, capture_output=True, check=False)
    assert (by_file.returncode, by_file.stdout) == (by_module.returncode, by_module.stdout)
    assert json.loads(by_file.stdout)["verdict"] == "correct"


def test_colours_where_they_are_wanted(root: Path) -> None:
    asked = ("check", "sigmoid", "--wrt", "z", "z")
    assert b"\x1b[" not in process(root, *asked, NO_COLOR="1").stdout
    assert b"\x1b[" in process(root, *asked, FORCE_COLOR="1", NO_COLOR="").stdout
    assert b"\x1b[3" not in process(root, *asked, FORCE_COLOR="1", NO_COLOR="1").stdout


def test_source_is_not_cut_to_the_width_of_the_terminal(root: Path) -> None:
    plain_text = process(root, "numpy", "softmax-regression").stdout
    coloured = process(root, "numpy", "softmax-regression", FORCE_COLOR="1", NO_COLOR="", COLUMNS="30").stdout
    assert re.sub(rb"\x1b\[[0-9;]*m", b"", coloured) == plain_text


def test_a_terminal_that_knows_ascii_only(root: Path) -> None:
    found = process(root, "check", "sigmoid", "--wrt", "z", "z", PYTHONIOENCODING="ascii")
    assert found.returncode == 1
    assert found.stdout.isascii()
    assert found.stderr == b""


def test_bytes_that_are_no_text_as_an_argument(root: Path) -> None:
    command: list[str | bytes] = [sys.executable, str(root / "cli.py"), "check", "sigmoid", "--wrt", "z", b"\xff x"]
    found = subprocess.run(command, capture_output=True, check=False)
    assert found.returncode == 3
    assert b"Traceback" not in found.stderr


def test_output_that_nobody_reads_on(root: Path) -> None:
    text = "\n".join(line() for _ in range(2000)).encode()
    command = f'"{sys.executable}" "{root / "cli.py"}" grade - --json | head -n 1'
    found = subprocess.run(command, shell=True, input=text, capture_output=True, check=False)
    assert json.loads(found.stdout)["verdict"] == "correct"
    assert b"Traceback" not in found.stderr


# --------------------------------------------------------------------------------------------- small parts


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_lines(raw: bytes) -> None:
    import io

    found = list(read_lines(io.BytesIO(raw)))
    assert len(found) == sum(1 for part in raw.removeprefix(b"\xef\xbb\xbf").split(b"\n") if part.strip())
    assert all((one.question is None) == bool(one.error) for one in found)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values, max_size=4), st.text())
def test_what_is_json_is_read_and_its_id_is_found(found: dict[str, Any], identifier: str) -> None:
    whole = {**found, "id": identifier}
    text = json.dumps(whole)
    assert parse(text.encode()) == whole
    assert identifier_in(text) == identifier


@given(st.text())
def test_any_text_is_made_readable(text: str) -> None:
    assert readable(text).isprintable()


def test_numbers_that_json_does_not_know() -> None:
    import numpy as np

    value = {"a": (float("nan"), float("inf")), "b": np.float64(1.5), "c": np.int64(2), "d": [None, True]}
    assert plain(value) == {"a": ["nan", "inf"], "b": 1.5, "c": 2, "d": [None, True]}


def test_there_is_one_group_of_commands() -> None:
    assert commands() is commands()
