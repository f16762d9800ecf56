"""A problem for one example, lowered for a batch: the same as the loop over the examples, and without one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from derive.errors import AuthorError, EvaluationError
from derive.expressions import build as b
from derive.expressions.node import Node
from derive.gradient.closed import derivative
from derive.lowering import grouped
from derive.lowering.batch import Batched, batched, with_letter
from derive.lowering.kernels import rank
from derive.lowering.loops import refuse_loops
from derive.lowering.lower import Lowered, lower
from derive.numerics.fields import Floating
from derive.numerics.sampling import Sample, sample
from derive.problem.builder import problem_from
from derive.problem.load import by_identifier, catalogue
from derive.problem.problem import Problem

Run = Callable[..., Result]
COUNT, SEED = 5, 3

# What is given for each example of a problem of the catalogue.
OVER = {
    "central-difference": "x", "chain-rule-functions": "x", "chain-rule-polynomial": "x",
    "chain-rule-two-functions": "x", "cube": "x", "graph-linear": "a b", "graph-max": "x y",
    "layer-jacobians": "x", "layer-numerator-layout": "x", "neuron": "x", "regulariser": r"\theta",
    "sigmoid": "z", "sigmoid-exponential": "z", "squared-difference": "T P^*", "tanh": "z", "tanh-exponential": "O",
    "average-embedding-one-row": "S T", "average-embedding-tanh": "T", "average-embedding-vector": "T",
    "averaged-embeddings-mse": "e_t y", "embedding-same-word-twice": "y", "embedding-table": "x_1 x_2 y",
    "embedding-table-class-index": "i j c", "embedding-table-fixed-rows": "y", "embedding-table-index": "i j y",
    "embedding-table-rows": "x_1 x_2 y", "embedding-table-two-words": "i j y", "sentiment-class-vectors": "h y",
    "summed-embedding-sentiment": "e_1 e_2 y",
    "logistic-regression": "x y", "logistic-regression-complement": "x y", "logistic-regression-folded-bias": "x y",
    "logistic-regression-signs": "x y", "logistic-regression-written-out": "x y", "multinomial-logistic-bias": "x c",
    "multinomial-logistic-index": "x c",
    "max-margin-sigmoid": "x x_c", "max-margin-tanh": "x x_c", "max-margin-window": "x x_c", "window-score": "x",
    "window-score-direct": "x", "window-score-logistic": "x", "window-score-sigmoid-output": "x",
    "window-score-two-units": "x",
    "hidden-layer-probability": "x t", "mlp-squared-error": "x y", "relu-sigmoid-network": "x y",
    "relu-sigmoid-two-features": "x_1 x_2 y", "relu-softmax-network": "x y", "tanh-sigmoid-network": "x",
    "tanh-softmax-network": "x y", "unspecified-activation-network": "x y", "window-language-model": "x_1 x_2 x_3 y",
    "log-softmax": "z y", "softmax-class-rows": "x y", "softmax-distributions": "f p", "softmax-jacobian": "z y",
    "softmax-kl": "f p", "softmax-logits": "x y t", "softmax-logits-target": "x t", "softmax-regression": "x y",
    "softmax-window": "x_{museums} x_{in} x_{Paris} x_{are} x_{amazing} t",
    "cbow": "v_t y", "naive-softmax": "v_c o y", "naive-softmax-index": "v_c o", "naive-softmax-rows": "v_c y",
    "negative-sampling": "v_c u_o u_k", "negative-sampling-plain": "w c",
    "negative-sampling-pos-neg": r"\mathbf{w} \mathbf{c}_{pos} \mathbf{c}_{neg_j}",
    "skip-gram-window": "v_c y_s", "skip-gram-window-index": "v_c o_j",
}  # fmt: skip
SUMMED = tuple(
    "averaged-embeddings-mse max-margin-window multinomial-logistic-index negative-sampling skip-gram-window".split()
)

# ------------------------------------------------------------------------------------- values for a batch


class Drawn:
    """Values of the examples, and of what they share."""

    def __init__(self, problem: Problem, over: Sequence[str], count: int = COUNT) -> None:
        self.problem, self.over = problem, {plain(name) for name in over}
        drawn = sample(problem, None, SEED, count)
        values = {n: v if self.each(str(n.data[0])) else np.repeat(v[:1], count, 0) for n, v in drawn.values.items()}
        indices = {n: v if self.each(n) else np.repeat(v[:1], count, 0) for n, v in drawn.indices.items()}
        self.sample = Sample(drawn.sizes, indices, values, count)

    def each(self, name: str) -> bool:
        return plain(name) in self.over

    def example(self, point: int) -> dict[str, Any]:
        """What is given, by name, at one example."""
        out: dict[str, Any] = {**self.sample.sizes, **{n: v[point] for n, v in self.sample.indices.items()}}
        return out | {str(n.data[0]): squeezed(n, v[point]) for n, v in self.sample.values.items()}

    def batch(self, batch: Batched) -> dict[str, Any]:
        """What is given, by its name in the batch."""
        count = self.sample.points
        examples = [self.example(point) for point in range(count)]
        out: dict[str, Any] = dict(self.sample.sizes)
        for name, value in examples[0].items():
            mine = next((old for old in batch.names if plain(old) == plain(name)), "")
            if mine in batch.owners:
                out[batch.names[mine]] = np.concatenate([e[name] for e in examples])
                out[batch.owners[mine]] = np.repeat(np.arange(1, count + 1), len(value))
            else:
                out[batch.names.get(mine, name)] = np.stack([e[name] for e in examples]) if mine else value
        return out


def plain(name: str) -> str:
    return name.replace(" ", "").replace("{", "").replace("}", "")


def squeezed(leaf: Node, value: Any) -> Any:
    """A value as a lowered function takes it: columns as 1-D, numbers as scalars."""
    if leaf.dims == b.SCALAR:
        return value[..., 0, 0]
    return value[..., 0] if leaf.dims[1] == b.ONE else value


def call(lowered: Lowered, given: Mapping[str, Any]) -> Any:
    latex = {name: key for key, name in lowered.names.items()}
    keys = [latex.get(a, a) for a in lowered.arguments]
    return lowered.function(*(given[k] if k in given else stand_in(k) for k in keys))


def stand_in(name: str) -> Any:
    base = name.rstrip("'")
    return lambda x: np.asarray(Floating().unspecified(base, len(name) - len(base), x))[()]


def looped(drawn: Drawn, wrt: Sequence[str]) -> tuple[list[Any], dict[str, list[Any]]]:
    """Losses and gradients, example by example; those of a family for all members."""
    problem = drawn.problem
    targets = {name: problem.target(name) for name in wrt}
    lowered = lower(problem, {n: derivative(problem, problem.loss_symbol, t) for n, t in targets.items()})
    losses, slopes = list[Any](), {name: list[Any]() for name in wrt}
    for point in range(drawn.sample.points):
        given = drawn.example(point)
        free = {name: over for t in targets.values() for name, over in t.free}
        losses.append(call(lowered, given | dict.fromkeys(free, 1))[0])
        for name, target in targets.items():
            if not target.free:
                slopes[name].append(call(lowered, given | dict.fromkeys(free, 1))[1][name])
                continue
            ((letter, over),) = target.free
            members = [given | dict.fromkeys(free, 1) | {letter: v} for v in over.values(drawn.sample.sizes)]
            slopes[name].append(np.stack([call(lowered, m)[1][name] for m in members]))
    return losses, slopes


def real(problem: Problem) -> list[str]:
    """The numbers, vectors, matrices and families that a problem gives."""
    found = [e.node for e in problem.scope.all() if e.kind in ("value", "family") and e.node is not None]
    return [str(n.data[0]) for n in found if n not in problem.meanings]


# --------------------------------------------------------------------------------- the same as the loop


@pytest.mark.parametrize(("name", "reduce"), [*((name, "mean") for name in OVER), *((name, "sum") for name in SUMMED)])
def test_a_batch_is_the_loop_over_its_examples(name: str, reduce: str) -> None:
    problem, over = by_identifier(name), OVER[name].split()
    batch = batched(problem, over, reduce=reduce)
    lowered = batch.lowered(gradients_of(batch, problem).values())
    same_as_the_loop(problem, over, batch, lowered, COUNT if reduce == "mean" else 1)


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_all_but_the_matrices_given_for_each_example(name: str) -> None:
    """Whatever stands in the catalogue: the same as the loop, or refused by name."""
    problem = by_identifier(name)
    given = [e for e in problem.scope.all() if e.node is not None and e.node not in problem.meanings]
    over = [e.key for e in given if e.kind in KINDS and (e.node is None or rank(e.node.dims) < 2)]
    try:
        batch = batched(problem, over)
        lowered = batch.lowered(gradients_of(batch, problem).values())
    except (AuthorError, EvaluationError) as refused:
        reason = str(refused)
    else:
        reason = ""
        same_as_the_loop(problem, over, batch, lowered, COUNT)
    assert re.search(REFUSALS, reason) or not reason, reason


def test_words_of_an_example_are_looked_up_and_averaged() -> None:
    """Continuous bag of words with negative sampling: two families of indices, one of them inside of the other's sum."""
    problem = given_problem(
        r"J = -\log\sigma(u_o^\top \bar v) - \sum_{k=1}^K \log\sigma(-u_{n_k}^\top \bar v)",
        {"U": "d x V", "V": "d x V", "u_w": "column w of U", "v_w": "column w of V", "o": "index 1..V"}
        | {"w_t": "index 1..V, t = 1..M", "n_k": "index 1..V, k = 1..K"},
        define={r"\bar v": r"\frac1M \sum_{t=1}^M v_{w_t}"},
    )
    over = ["o", "w_t", "n_k"]
    batch = batched(problem, over)
    same_as_the_loop(problem, over, batch, batch.lowered(gradients_of(batch, problem).values()), COUNT)


KINDS = ("value", "family", "index", "index family")
REFUSALS = (
    "name what is given|the loss does not depend on|has no form for a batch|no form for a batch|are matrices: only"
    "|could not be confirmed"
)


def gradients_of(batch: Batched, problem: Problem) -> dict[str, str]:
    """The variables of a problem, by name, and their names in the batch."""
    called = {plain(old): new for old, new in batch.names.items()}
    return {old: called.get(plain(old), old) for old in real(problem)}


def same_as_the_loop(problem: Problem, over: Sequence[str], batch: Batched, lowered: Lowered, share: int) -> None:
    """The lowered function against the sum over the examples, divided by `share`."""
    drawn, wrt = Drawn(problem, over), gradients_of(batch, problem)
    refuse_loops(lowered.source)
    with np.errstate(all="ignore"):
        loss, gradients = call(lowered, drawn.batch(batch))
        losses, slopes = looped(drawn, list(wrt))
    np.testing.assert_allclose(loss, sum(losses) / share, rtol=1e-9, atol=1e-11)
    for old, new in wrt.items():
        each = np.stack(slopes[old]) / share
        if plain(old) in map(plain, batch.owners):
            each = np.concatenate(list(each))
        elif not drawn.each(old):
            each = each.sum(axis=0)
        if problem.target(old).access.dims[0] == b.ONE != problem.target(old).access.dims[1] and drawn.each(old):
            each = each[:, 0]  # the members of a family of rows are given as 1-D arrays
        np.testing.assert_allclose(gradients[new], each, rtol=1e-9, atol=1e-11, err_msg=old)


# ------------------------------------------------------------------------------------------- what it is


def given_problem(loss: str, symbols: Mapping[str, str], **more: Any) -> Problem:
    return problem_from({"loss": loss, "symbols": symbols, **more})


RIDGE = {"loss": r"J = \frac{1}{2} (w^\top x - y)^2 + \lambda \lVert w \rVert^2"} | {
    "symbols": {"w": "d", "x": "d", "y": "scalar", r"\lambda": "scalar"}
}


def test_terms_that_no_example_enters_stay_outside_of_the_mean() -> None:
    batch = batched(problem_from(RIDGE), ["x", "y"])
    assert batch.problem.loss_text == (
        r"J = \frac{1}{n} \sum_{i=1}^{n} \frac{1}{2} \left(w^\top x^{(i)} - y^{(i)}\right)^2 + \lambda \left(w^\top w\right)"
    )
    w, x, y = np.array([0.5, -1.0]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), np.array([1.0, -1.0, 0.5])
    loss, gradients = call(batch.lowered(["w"]), {"w": w, "x^{(i)}": x, "y^{(i)}": y, r"\lambda": 0.1})
    np.testing.assert_allclose(loss, np.mean((x @ w - y) ** 2) / 2 + 0.1 * w @ w)
    np.testing.assert_allclose(gradients["w"], x.T @ (x @ w - y) / 3 + 0.2 * w)


def test_the_sum_is_the_sum_of_the_losses_whole() -> None:
    """Else the sum of losses -b + log(1 + exp(b + x)) would count -b once."""
    problem = given_problem(r"J = -b + \log(1 + \exp(b + x))", {"b": "scalar", "x": "scalar"})
    lowered = batched(problem, ["x"], reduce="sum").lowered(["b"])
    loss, gradients = call(lowered, {"b": 0.5, "x^{(i)}": np.array([1.0, 2.0])})
    np.testing.assert_allclose(loss, -1 + np.log1p(np.exp([1.5, 2.5])).sum())
    np.testing.assert_allclose(gradients["b"], -2 + (1 / (1 + np.exp([-1.5, -2.5]))).sum())


def test_a_named_regulariser_stays_outside_too() -> None:
    problem = problem_from(
        RIDGE | {"loss": "J = D + R", "define": {"D": "(w^\\top x - y)^2", "R": r"\lambda \lVert w \rVert^2"}}
    )
    assert batched(problem, ["x", "y"]).problem.loss_text == r"J = \frac{1}{n} \sum_{i=1}^{n} D^{(i)} + R"


def test_families_of_an_example_may_differ_in_length() -> None:
    """Phrases of 1, 3 and 2 words: the sum of their embeddings, a softmax, the mean of the losses."""
    problem = given_problem(
        r"J = -\log p_c", {"E": "V x d", "W": "C x d", "w_t": "index 1..V, t = 1..T", "c": "index 1..C"},
        define={"h": r"\sum_{t=1}^{T} E_{w_t\cdot}^\top", "p": r"\operatorname{softmax}(W h)"},
    )  # fmt: skip
    batch = batched(problem, ["w_t", "c"])
    rng = np.random.default_rng(0)
    table, weights, c = rng.normal(size=(7, 4)), rng.normal(size=(3, 4)), np.array([1, 3, 2])
    words = [[2], [1, 5, 5], [7, 3]]
    flat = {batch.names["w_t"]: np.concatenate(words), batch.owners["w_t"]: np.array([1, 2, 2, 2, 3, 3])}
    loss, gradients = call(batch.lowered(["E", "W"]), {"E": table, "W": weights, batch.names["c"]: c} | flat)
    h = np.stack([table[np.array(w) - 1].sum(axis=0) for w in words])
    p = np.exp(h @ weights.T) / np.exp(h @ weights.T).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(loss, -np.log(p[np.arange(3), c - 1]).mean())
    slope = (p - np.eye(3)[c - 1]) / 3
    wanted = np.zeros_like(table)
    for row, phrase in zip(slope @ weights, words, strict=True):
        for word in phrase:
            wanted[word - 1] += row
    np.testing.assert_allclose(gradients["E"], wanted, atol=1e-12)
    np.testing.assert_allclose(gradients["W"], slope.T @ h, atol=1e-12)


def test_the_size_is_new_and_may_be_named() -> None:
    assert batched(by_identifier("softmax-regression"), ["x", "y"], size="m").size == "m"
    assert batched(by_identifier("mlp-squared-error"), ["x", "y"]).size == "N", "n is the width of its hidden layer"


def test_gradients_of_a_batch_are_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    batch: Batched = batched(by_identifier("logistic-regression"), ["x", "y"])
    monkeypatch.setattr("derive.lowering.batch.check.exact", lambda *args: "")
    with pytest.raises(EvaluationError, match="with respect to w could not be confirmed"):
        batch.gradients(["w"])


REFUSED = [
    ("softmax-regression", "W", "W is a matrix", {}),
    ("softmax-regression", "q", "q is not given by the problem", {}),
    ("softmax-regression", "", "name what is given", {}),
    ("softmax-regression", "z", "z is not given", {}),
    ("layer-jacobians", "f", "f is a function", {}),
    ("naive-softmax", "o", "y follows o", {}),
    ("softmax-window-blocks", "A_k", "the members of A_k are matrices", {}),
    ("softmax-window-blocks", "x_k", "k runs through x_k and through what all examples share", {}),
    ("sentiment-class-vectors", "w_k", "no form for a batch", {}),
    ("softmax-regression", "x y", "by mean or sum", {"reduce": "max"}),
    ("softmax-regression", "x y", "C is a size of the problem already", {"size": "C"}),
]


@pytest.mark.parametrize(("name", "over", "message", "more"), REFUSED)
def test_what_cannot_be_batched_is_refused_by_name(name: str, over: str, message: str, more: dict[str, str]) -> None:
    with pytest.raises(AuthorError, match=message):
        batched(by_identifier(name), over.split(), **more)


def test_an_index_that_the_loss_leaves_open_varies_too() -> None:
    problem = given_problem(r"J = -\log p_c", {"z": "C"}, define={"p": r"\operatorname{softmax}(z)"})
    over = ["z", "c"]
    batch = batched(problem, over)
    same_as_the_loop(problem, over, batch, batch.lowered(gradients_of(batch, problem).values()), COUNT)


def test_a_loss_without_the_examples_is_refused() -> None:
    with pytest.raises(AuthorError, match="the loss does not depend on x"):
        batched(given_problem("J = w^2", {"w": "scalar", "x": "scalar"}), ["x"])


def test_what_is_left_of_loops_is_refused_by_name() -> None:
    """No silent loop: the inverse of a matrix for each example has no form as a matrix product."""
    problem = given_problem(r"J = u^\top (A + x x^\top)^{-1} u", {"u": "d", "A": "d x d, positive definite", "x": "d"})
    with pytest.raises(EvaluationError, match="without a loop over the examples"):
        batched(problem, ["x"]).lowered(["u"])
    source = "def f(x):\n    a = [i for i in x]\n    return a, {'w': 1}\n"
    with pytest.raises(EvaluationError, match=r"^a has no form"):
        refuse_loops(source)


def test_a_wrong_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The form without loops is evaluated beside the derived one, which the two checks have confirmed."""
    turned = grouped.taken_in_turn

    def wrong(problem: Problem, gradients: Mapping[str, Node]) -> tuple[Problem, dict[str, Node]]:
        flat, forms = turned(problem, gradients)
        return flat, {name: b.scale(2, form) for name, form in forms.items()}

    monkeypatch.setattr("derive.lowering.batch.taken_in_turn", wrong)
    with pytest.raises(EvaluationError, match="with respect to W could not be confirmed in a form for a batch"):
        batched(by_identifier("softmax-regression"), ["x", "y"]).lowered(["W"])


@pytest.mark.parametrize(
    ("key", "name"),
    [("x", "x^{(i)}"), ("x_c", "x_c^{(i)}"), ("P^*", "P^*_i"), ("W^{[1]}", "W^{[1]}_i"), ("z^{[1]}_h", "z^{[1](i)}_h")],
)
def test_names_of_what_varies(key: str, name: str) -> None:
    assert with_letter(key, "i") == name


# ------------------------------------------------------------------------------------------- the command


def test_the_source_of_a_batch_is_printed(run: Run) -> None:
    mean = run("numpy", "softmax-regression", "--batch", "x, y")
    total = run("numpy", "softmax-regression", "--batch", "x,y", "--sum")
    assert mean.exit_code == total.exit_code == 0
    assert re.search(r"delta.T( @ |\.dot\()x\)?", mean.output)
    assert re.search(r"delta.T( @ |\.dot\()x\)?,", total.output)
    compile(mean.output, "printed", "exec")


def test_where_all_is_given_for_each_example_all_gradients_are_printed(run: Run) -> None:
    output = run("numpy", "negative-sampling", "--batch", "v_c,u_o,u_k").output
    assert all(f'"{name}": ' in output for name in ("v_c^{(i)}", "u_o^{(i)}", "u_t"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--batch", "x,q"], "--batch: q is not given by the problem"),
        (["--batch", "W"], "--batch: W is a matrix"),
        (["--sum"], "--batch: only a batch is summed"),
        (["--batch", ","], "--batch: name what is given for each example"),
    ],
)
def test_wrong_options_are_named(run: Run, options: list[str], message: str) -> None:
    result = run("numpy", "softmax-regression", *options)
    assert result.exit_code == 2
    assert message in result.output
