"""Sheets as HTML: valid, self-contained, every formula as MathML, the walk-through with the engine's numbers."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import html5lib
import numpy as np
import pytest
from click.testing import CliRunner

from cli import commands
from derive.errors import AuthorError
from derive.latex import cleaning, grammar, tokens
from derive.problem.files import catalogue
from derive.problem.load import load
from derive.sheets.blocks import Code, Equation, Heading, Paragraph, Part, Picture, Room, Scene, Sheet, formulas
from derive.sheets.content import Wanted, part_of
from derive.sheets.html import html
from derive.sheets.html_math import mathml, terms
from derive.sheets.walk import Inputs, inputs, picture, typeset

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "walkthrough" / "two-words.toml"
PHRASES = ROOT / "examples" / "walkthrough" / "phrases.toml"
SAMPLE = (
    "softmax-regression",
    "negative-sampling",
    "embedding-table-index",  # indicators
    "leaky-relu",  # cases
    "lstm-step",  # the largest graph
    "max-margin-tanh",
    "modern-hopfield-energy",
    "gaussian-precision",  # bars, inverses
)


@cache
def part(name: str) -> Part:
    return part_of(load(name))


@cache
def page(name: str) -> str:
    found = part(name)
    return html(Sheet(found.title, (found,)))


@cache
def walked() -> tuple[Part, str]:
    found = part_of(load(str(EXAMPLE)), Wanted(at=str(PHRASES)))
    return found, html(Sheet(found.title, (found,)))


@cache
def booklet() -> str:
    return html(Sheet("Booklet", tuple(part(name) for name in SAMPLE[:3])))


def pages() -> Iterator[tuple[str, str]]:
    yield from ((name, page(name)) for name in SAMPLE)
    yield "the walk-through", walked()[1]
    yield "a booklet", booklet()


def sources(document: str) -> str:
    """The LaTeX of all formulas of a page, one after the other."""
    found = re.findall(r'<annotation encoding="application/x-tex">(.*?)</annotation>', document)
    return "".join(found).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


# ------------------------------------------------------------------------------------------------------ the page


def test_pages_are_valid_html() -> None:
    for name, document in pages():
        assert html5lib.HTMLParser(strict=True).parse(document) is not None, name


def test_a_page_needs_nothing_else() -> None:
    for name, document in pages():
        urls = re.findall(r'(?:src|href|action|srcset)="([^"]*)"|url\(([^)]*)\)|@import', document)
        outside = [url for pair in urls for url in pair if url and not url.startswith("#")]
        assert not outside, name
        remaining = re.sub(r'xmlns(:\w+)?="[^"]*"', "", document)
        assert "http:" not in remaining and "https:" not in remaining, name


def test_ids_are_unique_and_links_lead_somewhere() -> None:
    for name, document in pages():
        outside = re.sub(r"<template.*?</template>", "", document, flags=re.DOTALL)
        ids = re.findall(r'\bid="([^"]+)"', outside)
        assert len(ids) == len(set(ids)), name
        linked = set(re.findall(r'(?:href="#|url\(#|list=")([^")]+)', outside))
        assert linked <= set(ids), name


def test_headings_come_in_order() -> None:
    for name, document in pages():
        outside = re.sub(r"<template.*?</template>", "", document, flags=re.DOTALL)
        levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", outside)]
        assert levels[0] == 1 and levels.count(1) == 1, name
        assert all(after <= before + 1 for before, after in pairwise(levels)), name


def test_every_formula_is_mathml_with_its_source() -> None:
    for name in SAMPLE:
        written = sources(page(name))
        for block in part(name).blocks:
            missing = [latex for latex in formulas(block) if latex and latex not in written]
            assert not missing, name
        text = re.sub(r"<(script|style|annotation|svg)\b.*?</\1>", "", page(name), flags=re.DOTALL)
        assert "\\" not in re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL), name


def test_what_is_written_is_text_and_not_markup() -> None:
    blocks = (Paragraph("a < b & <script>alert(1)</script>", "remark"), Heading("$x < y$"), Code("if a < b: # <b>"))
    document = html(Sheet("<i>", (Part('x"y', "<i>", blocks),)))
    assert "<script>alert" not in document and "<title>&lt;i&gt;</title>" in document
    assert "a &lt; b &amp; &lt;script&gt;" in document and "<mo>&lt;</mo>" in document
    html5lib.HTMLParser(strict=True).parse(document)


def test_an_exercise_has_room_and_no_answers() -> None:
    found = part_of(load("softmax-regression"), Wanted(answers=False))
    document = html(Sheet("Exercise", (found,)))
    assert any(isinstance(block, Room) for block in found.blocks)
    assert 'class="room" style="--lines: 6"' in document and r"\delta x^\top" not in sources(document)


def test_the_title_of_the_sheet_and_of_its_problem() -> None:
    found = part("softmax-regression")
    assert "<h1>Solution</h1>" in html(Sheet("Solution", (found,)))
    assert f">{found.title}</h2>" in html(Sheet("Solution", (found,)))
    assert 'aria-label="Contents"' in booklet() and booklet().count("<article") == 3


# ------------------------------------------------------------------------------------------------------- formulas

CONVERTED = (
    (r"\operatorname{softmax}(z)", "<mi>softmax</mi><mo>\u2061</mo><mo"),
    (r"2 \log x", '<mn>2</mn><mspace width="0.167em" /><mi>log</mi><mo>\u2061</mo><mspace width="0.167em" /><mi>x'),
    (r"a = -x", '<mo>=</mo><mo form="prefix">−</mo>'),
    (r"a - x", "<mi>a</mi><mo>−</mo>"),
    (r"\lVert -x \rVert", '<mo form="prefix">−</mo>'),
    (r"|x| - y", "</mo><mo>−</mo>"),
    (r"\mathbb{R}^n", "ℝ"),
    (r"\mathbb{1}\{s > 0\}", "<mn>𝟙</mn>"),
    (r"\mathbf{1}^\top", "<mn>𝟏</mn>"),
    (r"\mathbf{x}", "𝐱"),
    (r"\boldsymbol{\mu}", "𝝁"),
    (r"\mathcal{L}", "ℒ"),
    (r"x^\top", '<msup><mi>x</mi><mi mathvariant="normal">⊤</mi></msup>'),
    (r"\frac{\partial J}{\partial x}", '<mi mathvariant="normal">∂</mi><mi>J</mi>'),
    (r"\sum_{i=1}^{n} x_i", '<munderover><mo movablelimits="true">∑</mo>'),
    (r"\max_k z_k", '<munder><mo movablelimits="true">max</mo>'),
    (r"\max(0, x)", "<mi>max</mi><mo>\u2061</mo>"),
    (r"\begin{cases} 1 & x > 0 \\ 0 & x < 0 \end{cases}", '<mtd style="text-align: left">'),
    (r"\begin{pmatrix} a \\ b \end{pmatrix}^\top", "<msup><mrow><mo>(</mo><mtable>"),
    (r"\frac{\partial J}{\partial x}\Big|_{z}", "<msub><mrow><mfrac>"),
    (r"\left(x + y\right)", 'stretchy="false" fence="true" form="prefix">(</mo>'),
    (r"\left(\frac{a}{b}\right)", 'stretchy="true" fence="true" form="prefix">(</mo>'),
    (r"p_{\mathrm{true}}", "<mi>true</mi>"),
    (r"f'(z)", "′"),
    (r"\textcolor{blue}{x}", '<mstyle class="value">'),
    (r"a \oslash b \circ c", "<mo>⊘</mo>"),
)


@pytest.mark.parametrize(("latex", "part_of_it"), CONVERTED)
def test_formulas(latex: str, part_of_it: str) -> None:
    assert part_of_it in mathml(latex)


REFUSED = (
    (r"\foo x", r"\foo"),  # the converter would show the name
    ("a & b", "&"),
    (r"a \\ b", "a line break"),
    (r"\frac{a}", "a script or fraction"),
    (r"x_1_2", "DoubleSubscripts"),
    (r"\left(x", "MissingRight"),
    ("", "NoAvailableTokens"),
    (r"\frac \textcolor{blue} \tag", "StopIteration"),
)


@pytest.mark.parametrize(("latex", "named"), REFUSED)
def test_what_cannot_be_shown_is_an_error_that_names_it(latex: str, named: str) -> None:
    with pytest.raises(AuthorError, match=re.escape(named)) as raised:
        mathml(latex)
    assert raised.value.where == latex


def test_commands_of_the_reader_are_shown_or_refused() -> None:
    fonts = {rf"{name}{{x}}" for name in (*cleaning.FONTS, *cleaning.FRAMES, *grammar.ACCENTS)}
    signs = {rf"a {name} b" for name in (*tokens.SAME, *tokens.UNICODE.values(), *grammar.TIMES) if "{" not in name}
    shown = 0
    for latex in fonts | signs:
        try:
            shown += "\\" not in re.sub("<annotation.*", "", mathml(latex))
        except AuthorError:
            continue
    assert shown > 0.97 * len(fonts | signs)


def test_all_that_authors_write_in_the_catalogue_is_shown() -> None:
    for path in catalogue().values():
        data = tomllib.loads(Path(str(path)).read_text(encoding="utf-8"))
        answers = [question["answer"] for question in data.get("questions", ()) if question.get("answer")]
        for latex in (data["loss"], *data.get("define", {}).values(), *data.get("names", {}).values(), *answers):
            assert mathml(latex).startswith("<math>")


def test_long_sums_break_between_their_terms() -> None:
    latex = r"\left(a - b\right) \alpha_1 \beta_1 \gamma_1 + \sum_{i = 1 + k}^{n} x_i \cdot -y_i - \begin{cases} a + b \end{cases}"
    assert terms(latex) == [
        r"\left(a - b\right) \alpha_1 \beta_1 \gamma_1 ",
        r"+ \sum_{i = 1 + k}^{n} x_i \cdot -y_i ",
        r"- \begin{cases} a + b \end{cases}",
    ]
    assert '<mo form="infix">+</mo>' in mathml("+ b", continued=True)


# ------------------------------------------------------------------------------------------------ the walk-through


def scene(walk: str, title: str) -> Scene:
    found = next(block for block in walked()[0].blocks if isinstance(block, Picture))
    scenes = next(one for one in found.walks if one.name == walk).scenes
    return next(one for one in scenes if one.title == title)


def shown(equation: Equation) -> list[float]:
    """The numbers of an equation's last member."""
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", equation.members[-1])]


def by_numpy(phrase: str) -> dict[str, np.ndarray]:
    """The forward and backward pass of the example, written once more."""
    data = tomllib.loads(PHRASES.read_text(encoding="utf-8"))
    table, weights = (np.array(data["common"][name]) for name in "EW")
    i, j, t = (data["points"][phrase][name] - 1 for name in "ijt")
    h = table[i] + table[j]
    logits = weights @ h
    p = np.exp(logits) / np.exp(logits).sum()
    delta = p - np.eye(len(p))[t]
    rows = np.zeros_like(table)
    np.add.at(rows, [i, j], weights.T @ delta)
    return {
        "$h$": h, "$l$": logits, "$p$": p, "$L$": -np.log(p[t]), r"$\frac{\partial L}{\partial l}$": delta,
        r"$\frac{\partial L}{\partial W}$": np.outer(delta, h), r"$\frac{\partial L}{\partial h}$": weights.T @ delta,
        r"$\frac{\partial L}{\partial r_1}$": weights.T @ delta, r"$\frac{\partial L}{\partial E}$": rows,
    }  # fmt: skip


@pytest.mark.parametrize("phrase", ["not bad", "bad not", "bad bad", "very good"])
def test_numbers_on_screen(phrase: str) -> None:
    for title, value in by_numpy(phrase).items():
        np.testing.assert_allclose(shown(scene(phrase, title).rows[0]), value.ravel(), rtol=1e-3, atol=1e-12)


def test_the_order_of_the_words_does_not_matter() -> None:
    for title in by_numpy("not bad"):
        assert shown(scene("not bad", title).rows[0]) == shown(scene("bad not", title).rows[0])
    said = [block.text for block in walked()[0].blocks if isinstance(block, Paragraph)]
    assert "“bad not” against “not bad”: everything is the same but $r_1$ and $r_2$." in said


def test_the_same_word_twice_receives_twice_the_gradient() -> None:
    once = shown(scene("bad bad", r"$\frac{\partial L}{\partial E}$ along $r_1$").rows[0])
    np.testing.assert_allclose(
        shown(scene("bad bad", r"$\frac{\partial L}{\partial E}$").rows[0]), 2 * np.array(once), rtol=1e-3
    )


def test_every_number_of_the_phrase_is_in_the_page_without_javascript() -> None:
    document = re.sub(r"<template.*?</template>|<script>.*?</script>", "", walked()[1], flags=re.DOTALL)
    found = next(block for block in walked()[0].blocks if isinstance(block, Picture))
    written = sources(document)
    for one in found.walks[0].scenes:
        for row in one.rows:
            for member in row.members:
                assert re.sub(r"\\textcolor\{\w+\}", "", member) in written
    assert document.count('<li class="scene ') == len(found.walks[0].scenes)
    assert '<details class="scenes" open>' in document and '<div class="controls" hidden>' in document
    assert re.findall(r'<template data-name="([^"]+)"', walked()[1]) == [walk.name for walk in found.walks[1:]]


@pytest.mark.parametrize("name", ["softmax-regression", "embedding-table-index", "lstm-step", "max-margin-tanh"])
def test_scenes_light_up_the_whole_picture(name: str) -> None:
    """Each node and edge is lit on the way forward and back, and has its place in the drawing."""
    found = next(block for block in part(name).blocks if isinstance(block, Picture))
    (walk,) = found.walks
    for kind, count in (("node", found.svg.count('id="node-')), ("edge", found.svg.count('id="edge-'))):
        for phase in ("forward", "backward"):
            lit = {k for one in walk.scenes if one.phase == phase for k in (one.nodes if kind == "node" else one.edges)}
            assert lit == set(range(count))
    phases = [one.phase for one in walk.scenes]
    assert phases == sorted(phases, reverse=True)
    assert page(name).count('<li class="scene ') == len(walk.scenes)


def test_a_walk_at_one_point() -> None:
    walks = picture(load(str(EXAMPLE)), inputs("E=[[1, 2], [3, 4]], W=[[1, 0], [0, 1]], i=1, j=2, t=1")).walks
    assert [walk.scenes[3].rows[0].members[-1] for walk in walks] == [
        r"\textcolor{blue}{\begin{bmatrix} 4 \\ 6 \end{bmatrix}}"
    ]


TYPESET = (
    ("3", "a number", "3"),
    ("[1, -0.5]", "d", r"\begin{bmatrix} 1 \\ -0.5 \end{bmatrix}"),
    ("[1, -0.5]", "1 × d", r"\begin{bmatrix} 1 & -0.5 \end{bmatrix}"),
    ("[1, 2, 3, 4, 5]", "d", r"\begin{bmatrix} 1 & 2 & 3 & 4 & 5 \end{bmatrix}^\top"),
    ("[[1, 2], [3, 4]]", "n × d", r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}"),
    ("1.5e-05", "a number", r"1.5 \cdot 10^{-5}"),
    ("[nan, -inf]", "d", r"\begin{bmatrix} \text{undefined} \\ -\infty \end{bmatrix}"),
    ("5 × 300", "n × d", ""),  # too large to be shown
    ("", "d", ""),
)


@pytest.mark.parametrize(("text", "shape", "latex"), TYPESET)
def test_numbers_as_formulas(text: str, shape: str, latex: str) -> None:
    assert typeset(text, shape) == latex
    assert not latex or mathml(latex)


BROKEN = (
    ("points = 3", "not a table"),
    ("[points]", "no inputs"),
    ("[points]\na = 1", "not a table of values"),
    ("[others]", "unknown key others"),
    ("[points", "cannot be read"),
    ("[points]\na = {i = 1}\n[labels]\nE = 3", "not a list"),
)


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_inputs_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "inputs.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AuthorError, match=said) as raised:
        inputs(str(path))
    assert raised.value.where.startswith(str(path))


def test_the_command(tmp_path: Path) -> None:
    made = tmp_path / "walk.html"
    run = CliRunner().invoke(commands, ["sheet", str(EXAMPLE), "--at", str(PHRASES), "-o", str(made)])
    assert run.exit_code == 0, run.output
    assert made.read_text(encoding="utf-8") == walked()[1]


def test_no_inputs() -> None:
    assert inputs("") == Inputs()
    with pytest.raises(AuthorError, match="cannot be read"):
        inputs("missing.toml")
    with pytest.raises(AuthorError, match="no value for"):
        picture(load(str(EXAMPLE)), inputs("E=[[1, 2]]"))
