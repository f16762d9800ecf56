"""Training by stochastic gradient descent: it learns, it repeats itself, and it says what is wrong with a config."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from derive.errors import AuthorError
from derive.terminal import console
from derive.training.config import read_config
from derive.training.descent import descend
from derive.training.model import Model, model_of
from derive.training.outcome import accuracy, curve, nearest

Run = Callable[..., Result]
EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "training"
POSITIVE = frozenset(
    "beautiful lovely wonderful charming delightful excellent brilliant superb graceful splendid "
    "loved enjoyed praised admired recommended".split()
)
NEGATIVE = frozenset(
    "terrible awful dreadful horrible boring dull poor ugly clumsy bleak hated disliked criticised regretted mocked".split()
)

DATA = "x\ty\n0.5\t2.0\n1.0\t3.0\n-1.0\t-1.0\n2.0\t5.0\n"
LINE = """
[problem]
loss = 'J = (w x + b - y)^2'
symbols = { w = "scalar", b = "scalar", x = "scalar", y = "scalar" }
[data]
file = "data.tsv"
[columns]
x = "x"
y = "y"
[parameters]
w = "zeros"
b = "zeros"
[training]
epochs = 60
batch = 2
rate = 0.1
"""
WORDS = """
[problem]
loss = 'J = -\\log p_c'
symbols = { E = "V x d", W = "C x d", w_t = "index 1..V, t = 1..T", c = "index 1..C" }
define = { h = '\\sum_{t=1}^{T} E_{w_t\\cdot}^\\top', p = '\\operatorname{softmax}(W h)' }
[data]
file = "words.tsv"
[columns]
w_t = "text"
c = "label"
[parameters]
E = "normal 0.1"
W = "normal 0.1"
[sizes]
d = 2
"""
TEXTS = "text\tlabel\ngood day\tyes\nbad\tno\ngood good night\tyes\n"


def written(folder: Path, config: str, name: str = "it.toml") -> Path:
    (folder / "data.tsv").write_text(DATA, encoding="utf-8")
    (folder / "words.tsv").write_text(TEXTS, encoding="utf-8")
    (folder / name).write_text(config, encoding="utf-8")
    return folder / name


def trained(path: Path) -> tuple[Model, list[float]]:
    model = model_of(read_config(path))
    return model, [epoch.loss for epoch in descend(model)]


# ----------------------------------------------------------------------------------------- it learns


def test_a_line_is_found(tmp_path: Path) -> None:
    model, losses = trained(written(tmp_path, LINE))
    assert losses[-1] < 1e-4 < losses[0]
    np.testing.assert_allclose([model.parameters["w"], model.parameters["b"]], [2, 1], atol=0.01)


def test_a_step_is_the_rate_times_the_gradient(tmp_path: Path) -> None:
    """θ ← θ − α ∇J, twice, by hand; the rate of the second epoch is 0.1 / (1 + 0.5)."""
    whole = LINE.replace("epochs = 60", "epochs = 2").replace("batch = 2", "batch = 4") + "decay = 0.5\n"
    model, losses = trained(written(tmp_path, whole))
    x, y = np.array([0.5, 1, -1, 2]), np.array([2.0, 3, -1, 5])
    w = b = 0.0
    for rate, loss in zip((0.1, 0.1 / 1.5), losses, strict=True):
        error = w * x + b - y
        assert math.isclose(loss, np.mean(error**2))
        w, b = w - rate * np.mean(2 * error * x), b - rate * np.mean(2 * error)
    np.testing.assert_allclose([model.parameters["w"], model.parameters["b"]], [w, b], rtol=1e-12)


def test_the_last_batch_may_be_smaller(tmp_path: Path) -> None:
    _, losses = trained(written(tmp_path, LINE.replace("batch = 2", "batch = 3")))
    assert losses[-1] < 1e-4


@pytest.mark.parametrize("name", ["sentiment", "entities"])
def test_the_examples_learn(name: str) -> None:
    model, losses = trained(EXAMPLES / f"{name}.toml")
    told = model.config.accuracy
    assert told is not None
    assert losses[-1] < losses[0] / 3
    assert accuracy(model, told, model.training) > 0.97
    assert accuracy(model, told, model.held_out) > 0.85
    assert not set(model.training) & set(model.held_out)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nearest_words_are_of_one_sentiment(tmp_path: Path, seed: int) -> None:
    text = (EXAMPLES / "sentiment.toml").read_text(encoding="utf-8")
    text = text.replace("sentences.tsv", str(EXAMPLES / "sentences.tsv")).replace("seed   = 1", f"seed = {seed}")
    model, _ = trained(written(tmp_path, text))
    told = model.config.nearest
    assert told is not None
    found = nearest(model, told)
    assert len(POSITIVE & {word for word, _ in found["beautiful"]}) >= 4
    assert len(NEGATIVE & {word for word, _ in found["terrible"]}) >= 4
    cosines = [cosine for _, cosine in found["beautiful"]]
    assert cosines == sorted(cosines, reverse=True) and cosines[0] <= 1 + 1e-12


def test_the_corpus_is_well_formed() -> None:
    with (EXAMPLES / "sentences.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {row["sentiment"] for row in rows} == {"positive", "negative", "neutral"}
    assert all(len(row["sentence"].split()) == len(row["entities"].split()) for row in rows)
    assert {tag for row in rows for tag in row["entities"].split()} == {"PER", "LOC", "ORG", "O"}
    assert len({row["sentence"] for row in rows}) == len(rows) > 300


# --------------------------------------------------------------------------------------- it repeats itself


def test_the_same_seed_gives_the_same_result(tmp_path: Path) -> None:
    path = written(tmp_path, WORDS)
    first, second = trained(path), trained(path)
    assert first[1] == second[1]
    for name, value in first[0].parameters.items():
        np.testing.assert_array_equal(value, second[0].parameters[name])
    other = trained(written(tmp_path, WORDS + "[training]\nseed = 9\n"))
    assert other[1] != first[1]


def test_sentences_are_held_out_whole() -> None:
    model = model_of(read_config(EXAMPLES / "entities.toml"))
    table = (EXAMPLES / "sentences.tsv").read_text(encoding="utf-8").splitlines()[1:]
    lengths = [len(line.split("\t")[1].split()) for line in table]
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    assert len(model.training) + len(model.held_out) == len(sentence)
    assert not set(sentence[model.training]) & set(sentence[model.held_out])


# ----------------------------------------------------------------------------------------- what is read


def test_words_and_values_are_counted_from_one(tmp_path: Path) -> None:
    model = model_of(read_config(written(tmp_path, WORDS)))
    assert {str(size): model.words.words(size) for size in model.words.places} == {
        "V": ["good", "day", "bad", "night"],
        "C": ["yes", "no"],
    }
    words, labels = model.columns
    assert [list(row) for row in words.values] == [[1, 2], [3], [1, 1, 4]]
    assert words.at([2, 1])[words.owners].tolist() == [1, 1, 1, 2]
    assert list(labels.values) == [1, 2, 1]
    assert {name: v.shape for name, v in model.parameters.items()} == {"E": (4, 2), "W": (2, 2)}


def test_the_words_around_a_word(tmp_path: Path) -> None:
    config = """
    [problem]
    loss = 'J = -\\log p_c'
    symbols = { E = "V x d", a = "index 1..V", o = "index 1..V", W = "C x d", c = "index 1..C" }
    define = { p = '\\operatorname{softmax}(W (E_{a\\cdot} + E_{o\\cdot})^\\top)' }
    [data]
    file = "tags.tsv"
    tokens = ["words", "tags"]
    lower = true
    [columns]
    a = "words-1"
    o = "words"
    c = "tags"
    [parameters]
    E = "uniform 0.5"
    W = "ones"
    [sizes]
    d = 3
    """
    path = written(tmp_path, config)
    (tmp_path / "tags.tsv").write_text("words\ttags\nAnna ran\tP O\nran\tO\n", encoding="utf-8")
    model = model_of(read_config(path))
    before, here, tags = (column.values.tolist() for column in model.columns)
    assert next(iter(model.words.places.values())) == {"<edge>": 1, "anna": 2, "ran": 3}
    assert (before, here, tags) == ([1, 2, 1], [2, 3, 3], [1, 2, 2])
    assert np.all(np.abs(model.parameters["E"]) <= 0.5)


@pytest.mark.parametrize(
    ("declared", "values", "shape"),
    [
        ("x = 'd'", "0.5 1", (3, 2)),
        ("x = '1 x d'", "0.5 1", (3, 1, 2)),
        ("x = 'd, one-hot'", "a", (3, 1)),
        ("x = '1 x d, one-hot'", "a", (3, 1, 1)),
    ],
)
def test_vectors_are_read(tmp_path: Path, declared: str, values: str, shape: tuple[int, ...]) -> None:
    loss = r"x w" if "1 x" in declared else r"w^\top x"
    config = f"""
    [problem]
    loss = '({loss})^2'
    symbols = {{ {declared}, w = 'd' }}
    [data]
    file = "v.csv"
    [columns]
    x = "x"
    [parameters]
    w = "ones"
    """
    path = written(tmp_path, config)
    (tmp_path / "v.csv").write_text("x\n" + f"{values}\n" * 3, encoding="utf-8")
    assert model_of(read_config(path)).columns[0].values.shape == shape


def test_arrays_are_read(tmp_path: Path) -> None:
    """Three sampled words for each example: a family of vectors from an .npz file."""
    config = """
    problem = "negative-sampling"
    [data]
    file = "a.npz"
    [columns]
    u_o = "o"
    u_k = "k"
    [parameters]
    v_c = "normal"
    [training]
    epochs = 3
    """
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", o=rng.normal(size=(20, 4)), k=rng.normal(size=(20, 3, 4)))
    _, losses = trained(written(tmp_path, config))
    assert losses[-1] < losses[0]


# ---------------------------------------------------------------------------------------- what is wrong

WRONG = [
    (LINE, "epochs = 60", "epochs = 0", "it.toml: training.epochs: 0 should be a whole number above 0"),
    (LINE, "epochs = 60", "epochs = true", "it.toml: training.epochs: True should be a whole number"),
    (LINE, "epochs = 60", "epoch = 60", "it.toml: training.epoch: unknown key; did you mean epochs?"),
    (LINE, "rate = 0.1", "rate = -1", "it.toml: training.rate: -1 should be a number above 0"),
    (LINE, "rate = 0.1", "rate = 100", "it.toml: training.rate: the loss is (inf|nan) in epoch .*: lower the rate"),
    (LINE, "[data]", "[dta]", "it.toml: dta: unknown key; did you mean data?"),
    (LINE, 'file = "data.tsv"', "", "it.toml: data.file: a text is needed"),
    (LINE, '"data.tsv"', '"no.tsv"', "it.toml: data.file: the file cannot be read"),
    (LINE, '"data.tsv"', '"it.toml"', r"it.toml: data.file: it.toml should be a .tsv, .csv or .npz file"),
    (LINE, '[data]', '[data]\nheld_out = 1.0', "it.toml: data.held_out: 1.0 should be a share"),
    (LINE, '[data]', '[data]\nheld_out = 0.1', "it.toml: data.held_out: 0 of 4 rows"),
    (LINE, 'x = "x"', 'x = "z"', "it.toml: columns.x: there is no column z in data.tsv; there are x, y"),
    (LINE, 'y = "y"', "", "it.toml: columns: y is given by the problem: name its column"),
    (LINE, 'y = "y"', 'y = "y"\nq = "y"', "it.toml: columns.q: the problem gives no q"),
    (LINE, 'y = "y"', 'y = "y"\nw = "y"', "it.toml: parameters.w: w stands in columns already"),
    (LINE, 'y = "y"', "y = 3", "it.toml: columns.y: the name of a column"),
    (LINE, 'w = "zeros"', 'w = "random"', "it.toml: parameters.w: 'random' should be zeros, ones"),
    (LINE, 'w = "zeros"', 'w = "normal x"', "it.toml: parameters.w: 'normal x' should be"),
    (LINE, "[problem]", "problem = 3\n[other]", "it.toml: (other: unknown key|problem: an id)"),
    (LINE, "(w x", "(v x", "it.toml: problem: loss: "),
    (WORDS, "d = 2", "", "it.toml: sizes.d: the size d of E follows from no column: give it"),
    (WORDS, "d = 2", "d = 'two'", "it.toml: sizes.d: 'two' should be a whole number"),
    (WORDS, 'c = "label"', 'c = ["label", "text"]', "it.toml: columns.c: one column is needed"),
    (WORDS, "[sizes]", "[accuracy]\nof = 'q'\nagainst = 'c'\n[sizes]", "it.toml: accuracy.of: q is not defined"),
    (WORDS, "[sizes]", "[accuracy]\nof = 'p'\n[sizes]", "it.toml: accuracy.against: a text is needed"),
    (WORDS, "[sizes]", "[accuracy]\nof = 'p'\nagainst = 'W'\n[sizes]", "it.toml: accuracy.against: W is no number, vector or index of columns"),
    (LINE, "[training]", "[accuracy]\nof = 'e'\nagainst = 'y'\n[training]", "it.toml: accuracy.of: e is not defined for each example; nothing is"),
    (WORDS, "[sizes]", "[accuracy]\nof = 'p'\nagainst = 'w_t'\n[sizes]", "it.toml: accuracy.against: w_t is no number"),
    (WORDS, "[sizes]", "[nearest]\nof = 'E'\nwords = ['x']\n[sizes]", "it.toml: nearest.words: x does not occur"),
    (WORDS, "[sizes]", "[nearest]\nof = 'p'\nwords = ['bad']\n[sizes]", "it.toml: nearest.of: p is no parameter"),
    (WORDS, 'E = "normal', 'c = "zeros"\nE = "normal', "it.toml: parameters.c: c stands in columns already"),
    (WORDS, "w_t = \"text\"", "w_t = 'label'\n", ""),
    (LINE, "b = \"scalar\"", "b = \"scalar\", f = \"elementwise function\"", "it.toml: problem: f is any function"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "old", "new", "message"), WRONG)
def test_errors_name_the_key_and_the_place(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, old: str, new: str, message: str
) -> None:
    assert old in config
    path = written(tmp_path, config.replace(old, new, 1))
    monkeypatch.chdir(tmp_path)
    result = run("train", str(path))
    if not message:
        assert result.exit_code == 0, "one word for each example is a list of words too"
        return
    assert result.exit_code == 2
    output = " ".join(result.output.split())
    assert re.search(message, output), output
    assert not (tmp_path / "it.npz").exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("x\ty\n0.5\t2.0\n1.0\n", "data.tsv: row 3: 1 cells, but the header has 2"),
        ("x\ty\n0.5\t2.0\n1.0\tone\n", "data.tsv: row 3, column y: 'one' is not a number"),
        ("x\ty\n0.5\t2.0\n1.0\tnan\n", "data.tsv: row 3, column y: 'nan' is not a finite number"),
        ("x\ty\n0.5\t2.0\n1.0\t1 2\n", "data.tsv: row 3, column y: 2 numbers, but 1 before"),
        ("x\ty\n", "data.file: data.tsv has no rows"),
        ("x\ty\n0.5 1\t2.0\n", "columns.x: the symbol is a number, but the column holds 2"),
    ],
)
def test_errors_in_the_data_name_the_row(tmp_path: Path, data: str, message: str) -> None:
    path = written(tmp_path, LINE)
    (tmp_path / "data.tsv").write_text(data, encoding="utf-8")
    with pytest.raises(AuthorError) as caught:
        model_of(read_config(path))
    assert message in str(caught.value)


# ------------------------------------------------------------------------------------------ the command


def test_the_command_writes_what_it_found(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("train", str(written(tmp_path, WORDS, "words.toml")), "--csv", "losses.csv")
    assert result.exit_code == 0
    assert "confirmed by two independent checks" in result.output
    with np.load(tmp_path / "words.npz") as stored:
        assert set(stored.files) == {"E", "W", "words_V", "words_C", "losses"}
        assert stored["words_V"].tolist() == ["good", "day", "bad", "night"]
        losses = stored["losses"].tolist()
    with (tmp_path / "losses.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == losses
    assert list(rows[0]) == ["epoch", "rate", "loss", "held_out_loss"]
    other = run("train", "words.toml", "--save", "other.npz")
    assert other.output == result.output.replace("words.npz, losses.csv", "other.npz")


def test_a_progress_bar_is_for_terminals_only(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not console().is_terminal
    assert "training" not in run("train", str(written(tmp_path, WORDS))).output
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "training" in run("train", "it.toml").output


@pytest.mark.parametrize(
    ("values", "bars"), [([4, 3, 2, 1], "█▆▃▁"), ([1, 1], "▁▁"), ([2], "▁"), (list(range(100)), 40)]
)
def test_the_curve_of_losses(values: list[float], bars: Any) -> None:
    drawn = curve(values)
    assert len(drawn) == bars if isinstance(bars, int) else drawn == bars
