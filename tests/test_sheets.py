"""Sheets: what is printed is what the engine holds, in every format."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import Run

from benchmarks.readback import read_back
from benchmarks.sheets import run_cells
from derive.errors import AuthorError
from derive.notation import ROWS
from derive.problem.builder import problem_from
from derive.problem.load import by_identifier, catalogue
from derive.sheets.blocks import Code, Equation, Equations, Heading, Paragraph, Part, Picture, Sheet, Step, Table
from derive.sheets.content import Wanted, part_of
from derive.sheets.draws import inputs, sizes_of
from derive.sheets.markdown import markdown
from derive.sheets.notebook import notebook
from derive.sheets.tex import tex
from derive.sheets.typst import pdf, printable, typst
from derive.sheets.typst_math import breakable, typst_math

SOME = (
    "softmax-regression", "lstm-step", "relu-sigmoid-network", "naive-softmax-index", "skip-gram-negative-sampling",
    "scaled-dot-product-attention", "max-margin-window", "leaky-relu", "gaussian-precision", "swish", "softmax-kl",
    "elementwise-function", "crf-two-positions", "embedding-table-fixed-rows", "unspecified-activation-network",
)  # fmt: skip
CHOSEN = [name for name in SOME if name in catalogue()] + sorted(catalogue())[::30]


@cache
def part(name: str, wanted: Wanted | None = None) -> Part:
    return part_of(by_identifier(name), wanted)


def sheet(*names: str, **wanted: Any) -> Sheet:
    parts = tuple(part(name, Wanted(**wanted)) for name in names)
    return Sheet(parts[0].title if len(parts) == 1 else "Derivations", parts)


# ------------------------------------------------------------------------------------- what is on a sheet is true


@pytest.mark.parametrize("name", CHOSEN)
def test_every_formula_is_read_back_to_its_value(name: str) -> None:
    found = read_back(by_identifier(name), part(name))
    assert found.equal >= 3
    assert found.wrong == ()
    assert len(found.limits) <= 3


def test_reading_back_sees_a_wrong_formula() -> None:
    wrong = (
        (r"\frac{\partial J}{\partial W}", r"x \delta^\top", "shape"),
        (r"\frac{\partial J}{\partial x}", r"W^\top \hat{y}", "differs"),
        (r"\frac{\partial J}{\partial z_i}", r"\delta_j", "differs"),
        (r"\frac{\partial J}{\partial z_i}", r"\operatorname{nonsense}(z)_i", "AnswerError"),
    )
    for left, member, reason in wrong:
        block = Equations((Equation(left, (member,)),))
        found = read_back(by_identifier("softmax-regression"), Part("", "", (block,)))
        assert len(found.wrong) == 1 and reason in found.wrong[0], (left, member, found.wrong)


def test_an_exercise_shows_no_answer() -> None:
    text = markdown(sheet("softmax-regression", answers=False))
    assert "Backward" not in text and "Result" not in text and r"\delta x^\top" not in text and "δ xᵀ" not in text


# ------------------------------------------------------------------------------------------------------- Typst

MATHS = (
    (r"\delta x^\top", "δ attach(x, t: ⊤)", "letters are kept apart"),
    (r"\frac{a, b}{2}", r"frac(a \, b, 2)", "a comma is not one between arguments"),
    (r"\left(a + b\right)^2", r"attach(lr(\( a + b \)), t: 2)", "a bracket that grows carries a script"),
    (r"f'(z)", r"attach(f, t: #math.primes(1)) \( z \)", "a prime"),
    (r"f'^2", "attach(f, t: #math.primes(1) 2)", "a prime below a power"),
    (r"\hat{y}_{ij}", "attach(hat(y), b: i j)", "an accent with a script"),
    (r"{}^t v", 'attach("", t: t) v', "a script on nothing"),
    (r"\operatorname{softmax}(z)", r'op("softmax") \( z \)', "a name of several letters"),
    (r"\mathbf{W}", "upright(bold(W))", "bold is upright"),
    (r"\mathrm{diag}", 'upright("diag")', "a word stays one word"),
    (r"\mathbb{1}\{i = j\}", r"bb(1) \{ i = j \}", "an indicator"),
    (r"\text{if } x > 0", '"if " x > 0', "blanks in words are kept"),
    (r"\text{for $x_i$ only}", '"for " attach(x, b: i) " only"', "a formula among words"),
    (r"\sqrt[3]{x}", "root(3, x)", "a root of a degree"),
    (r"\lVert x \rVert", 'class("opening", ‖) x class("closing", ‖)', "bars know their side"),
    (r"J\Big|_{z}", 'J attach(class("normal", lr(size: #1.8em, |)), b: z)', "a bar with a place"),
    (r"\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}", 'cases(1 & quad x > 0, 0 & quad "else")', "cases"),
    (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", 'mat(delim: "(", a, b; c, d)', "a matrix"),
    (r"\sum_{\substack{i = 1 \\ i \neq j}}^n", r"attach(∑, t: n, b: i = 1 \ i ≠ j)", "two lines under a sum"),
    (r"\underbrace{a + b}_{\text{sum}}", 'underbrace(a + b, "sum")', "a note under a brace"),
    (r"\not\in", "∉", "a negated sign"),
    ("σ(x) · ŷ", r"σ \( x \) ⋅ hat(y)", "letters and signs of Unicode"),
    (r"\text{a", None, "what is not closed is refused"),
    (r"\frac{1}", None, "a missing argument is refused"),
    (r"\begin{tikzpicture}\end{tikzpicture}", None, "an unknown environment is refused"),
)  # fmt: skip


@pytest.mark.parametrize(("latex", "wanted", "reason"), MATHS, ids=[reason for *_, reason in MATHS])
def test_formulas_in_typst(latex: str, wanted: str | None, reason: str) -> None:
    if wanted is None:
        with pytest.raises(AuthorError):
            typst_math(latex)
    else:
        assert typst_math(latex) == wanted


def test_a_command_that_is_not_known_is_named_with_its_place() -> None:
    with pytest.raises(AuthorError, match=r"\\unheard cannot be set") as caught:
        typst_math(r"a + \unheard{b}")
    assert "    ^^^^^^^^" in str(caught.value)


BREAKS = (
    (r"a + b - c = d", 4, "at each sign of the outermost level"),
    (r"-a", 1, "not after a sign that leads"),
    (r"a = -b", 2, "not between two signs"),
    (r"\left(a + b\right) (c + d) |e - f|", 1, "not inside of brackets"),
    (r"\frac{a + b}{c}", 1, "not inside of a fraction"),
    (r"x \circ -y + z", 2, "not after a sign of a product"),
)


@pytest.mark.parametrize(("latex", "count", "reason"), BREAKS, ids=[reason for *_, reason in BREAKS])
def test_where_lines_may_end(latex: str, count: int, reason: str) -> None:
    assert len(breakable(latex)) == count


def test_every_spelling_that_is_read_can_be_set() -> None:
    spellings = [text for row in ROWS for text in row.spellings if not text.startswith("#")]
    rows = tuple(Equation(text, ()) for text in spellings)
    assert pdf(Sheet("Notation", (Part("", "Notation", (Equations(rows),)),))).startswith(b"%PDF")


@pytest.mark.parametrize("name", CHOSEN)
def test_a_pdf_is_made_without_a_warning(name: str) -> None:
    assert pdf(sheet(name)).startswith(b"%PDF")


def test_a_pdf_is_the_same_every_time() -> None:
    assert pdf(sheet("ridge-regression")) == pdf(sheet("ridge-regression"))


def test_all_blocks_and_awkward_texts_can_be_set() -> None:
    long = " + ".join(rf"\frac{{a_{{{k}}}}}{{b_{{{k}}}}}" for k in range(60))
    odd = r"a # $x$ \ [b] *c* _d_ `e` <f> @g ~ % & ^ {h} // /* $y_{\text{a, b}}$"
    blocks = (
        Heading(odd), *(Paragraph(odd, kind) for kind in ("", "source", "remark", "confirmed", "doubt", "mistake")),
        Equations((Equation("", ("x",)), Equation("y", (), "a note"), Equation("z", (long, long), odd)), boxed=True),
        Step(1, "", "", (Equation(long, ("1",), cases=(("i = j", long),)),)), Step(2, odd, odd, ()),
        Table(tuple(f"column {k}" for k in range(30)), (("1e-05", *["-0.25"] * 29),), tuple(range(1, 30))),
        Table((), ()), Code("x = '\"\\' # δ" + "y" * 200), Picture("", "nothing", "a -> b", odd),
    )  # fmt: skip
    book = Sheet(odd.replace("$", ""), (Part("a", odd, blocks), Part("b", "second", blocks)))
    assert pdf(book).startswith(b"%PDF")
    assert "outline" in typst(book)


def test_pictures_on_paper_have_the_colours_of_the_day() -> None:
    style = ".g { font: 13px sans-serif; --ink: #111; } @media (prefers-color-scheme: dark) { .g { --ink: #eee; } }"
    shown = printable(f"<svg><style>{style} .g text {{ fill: var(--ink); }}</style></svg>")
    assert "fill: #111" in shown and "#eee" not in shown and "var(" not in shown and "font-size: 13px" in shown


# --------------------------------------------------------------------------------------------- TeX and notebooks


@pytest.mark.parametrize("name", CHOSEN[:8])
def test_a_notebook_runs_and_its_checks_hold(name: str) -> None:
    problem = by_identifier(name)
    made = json.loads(notebook(sheet(name), {problem.identifier: problem}))
    nbformat.validate(made)
    names = run_cells(made)
    assert callable(names["loss_and_gradients"]) and names["gradients"]


def test_the_checks_of_a_notebook_see_a_wrong_gradient() -> None:
    problem = by_identifier("softmax-regression")
    made = notebook(sheet("softmax-regression"), {problem.identifier: problem})
    wrong = made.replace("W.T.dot(delta)", "-W.T.dot(delta)")
    assert wrong != made
    with pytest.raises(AssertionError, match="the gradient with respect to x is wrong"):
        run_cells(json.loads(wrong))


def test_inputs_have_what_is_declared_of_them() -> None:
    from derive.lowering.lower import lower

    symbols = {
        "p": "d, distribution", "q": "d, one-hot at o", "o": "index 1..d", "b": "d, binary", "s": "d, sign",
        "u": "d, unit interval", "A": "d x d, positive definite", "B": "d x d, symmetric", "Y": "n x d, one-hot rows",
        "c": "scalar, positive", "f": "elementwise function",
    }  # fmt: skip
    loss = r"J = c p^\top A B q + b^\top s + u^\top f(b) + \mathbf{1}^\top Y p"
    problem = problem_from({"loss": loss, "symbols": symbols})
    drawn = inputs(lower(problem, {}), sizes_of(problem, {}))
    names: dict[str, Any] = {"loss_and_gradients": lambda **given: (0.0, {})}
    exec("import numpy as np\n" + drawn, names)
    found = names["inputs"]
    assert abs(found["p"].sum() - 1) < 1e-12 and found["q"][found["o"] - 1] == found["q"].sum() == 1
    assert set(found["b"]) <= {0, 1} and set(found["s"]) <= {-1, 1} and 0 < found["u"].min() <= found["u"].max() < 1
    assert (found["A"] == found["A"].T).all() and (found["B"] == found["B"].T).all() and found["c"] > 0
    assert (found["Y"].sum(axis=1) == 1).all() and found["f"](0.0) == 0


@pytest.mark.parametrize("name", CHOSEN)
def test_every_sign_of_a_sheet_has_a_name_in_latex(name: str) -> None:
    assert r"\begin{document}" in tex(sheet(name))


def test_signs_beyond_ascii_are_declared() -> None:
    made = tex(Sheet("v̄ ʸ ₃ é ᵀ", (Part("", "", ()),)))
    assert r"\DeclareUnicodeCharacter{02B8}{\ensuremath{^{y}}}" in made
    assert r"\DeclareUnicodeCharacter{2083}{\ensuremath{_{3}}}" in made
    assert r"\DeclareUnicodeCharacter{1D40}{\ensuremath{^{\top}}}" in made
    assert r"\DeclareUnicodeCharacter{0304}" in made and "{00E9}" not in made


def test_a_sign_without_a_name_in_latex_is_refused() -> None:
    with pytest.raises(AuthorError, match=r"U\+2603"):
        tex(Sheet("☃", (Part("", "☃", ()),)))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX Live here")
@pytest.mark.parametrize("names", [("softmax-regression",), ("lstm-step",), ("leaky-relu", "naive-softmax-index")])
def test_tex_is_set_by_a_plain_tex_live(names: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "sheet.tex").write_text(tex(sheet(*names)), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull \\hbox" not in done.stdout


# --------------------------------------------------------------------------------------------------- the command


def test_a_sheet_in_several_formats(run: Run, tmp_path: Path) -> None:
    files = [tmp_path / f"a{ending}" for ending in (".pdf", ".tex", ".md", ".ipynb")]
    found = run("sheet", "softmax-regression", "--only", "wrt=W", *(x for file in files for x in ("-o", str(file))))
    assert found.exit_code == 0, found.output
    assert all(file.stat().st_size > 1000 for file in files)
    assert r"\frac{\partial J}{\partial b}" not in files[2].read_text(encoding="utf-8").split("## Result")[1]


def test_a_booklet_without_answers_has_its_solution_beside_it(run: Run, tmp_path: Path) -> None:
    names = ("softmax-regression", "ridge-regression")
    found = run("sheet", *names, "-o", str(tmp_path / "hw.md"), "--answers", "hide", "--title", "Homework 1")
    assert found.exit_code == 0, found.output
    exercise, solution = ((tmp_path / f"hw{end}.md").read_text(encoding="utf-8") for end in ("", "-solution"))
    assert exercise.startswith("# Homework 1\n") and "Result" not in exercise and "Derive" in exercise
    assert solution.count("Result") == 2


def test_a_file_for_each_problem(run: Run, tmp_path: Path) -> None:
    names = sorted(catalogue())[:5]
    found = run("sheet", *names, "-o", str(tmp_path / "{id}.md"))
    assert found.exit_code == 0, found.output
    assert sorted(path.stem for path in tmp_path.iterdir()) == names


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("softmax-regression", "-o", "a.docx"), "a sheet ends in"),
        (("softmax-regression", "-o", "a.md", "--only", "W"), "--only takes wrt=VARIABLE"),
        (("-o", "a.md"), "name the problems"),
        (("softmax-regression", "--all", "-o", "a.md"), "name the problems"),
        (("softmax-regression", "-o", "a.md", "--only", "wrt=Q"), "softmax-regression"),
        (("no-such-problem", "-o", "a.md"), "no-such-problem"),
    ],
)
def test_what_cannot_be_made_is_said(run: Run, arguments: tuple[str, ...], said: str) -> None:
    found = run("sheet", *arguments)
    assert found.exit_code == 2
    assert said in found.output
