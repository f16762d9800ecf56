"""Computation graphs: the worked numbers of the lectures, what flows along each edge, well-formed pictures."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from derive.errors import AuthorError
from derive.graph.layout import place
from derive.graph.model import Graph, graph_of
from derive.graph.numbers import at, parse
from derive.graph.svg import svg
from derive.launch import commands
from derive.problem.builder import problem_from
from derive.problem.load import catalogue, load
from derive.problem.problem import Problem

MAX = ("graph-max", "x=1,y=2,z=0")
LINEAR = ("graph-linear", "a=3,b=1,c=-2")


def with_numbers(problem: Problem | str, numbers: str) -> Graph:
    home = load(problem) if isinstance(problem, str) else problem
    return at(home, *graph_of(home), parse(numbers))


@pytest.mark.parametrize(
    ("asked", "values", "slopes"),
    [
        (MAX, {"a": "3", "b": "2", "f": "6"}, {"a": "2", "b": "3", "x": "2", "y": "5", "z": "0", "f": "1"}),
        (LINEAR, {"d": "2", "e": "5", "L": "-10"}, {"e": "-2", "d": "-2", "a": "-2", "b": "-4", "c": "5"}),
    ],
    ids=["(x + y) max(y, z)", "c (a + 2 b)"],
)
def test_worked_numbers(asked: tuple[str, str], values: dict[str, str], slopes: dict[str, str]) -> None:
    graph = with_numbers(*asked)
    assert {name: graph.node(name).value for name in values} == values
    assert {name: graph.node(name).slope for name in slopes} == slopes


def test_each_edge_shows_its_own_part() -> None:
    """∂f/∂y = 2 + 3: the sum distributes its 2, the maximum routes its 3 to the larger."""
    graph = with_numbers(*MAX)
    assert {(e.source, e.target): e.slope for e in graph.edges if e.source in "yz"} == {
        ("y", "a"): "2",
        ("y", "b"): "3",
        ("z", "b"): "0",
    }
    roles = {node.name: node.role for node in graph.nodes if node.role}
    assert roles == {"a": "+ distributes", "b": "max routes", "f": "× switches"}


def test_a_sum_of_embeddings_copies_the_gradient_to_every_word() -> None:
    problem = problem_from(
        {"loss": r"J = u^\top h", "symbols": {"u": "d", "e_1": "d", "e_2": "d"}, "define": {"h": "e_1 + e_2"}}
    )
    graph = with_numbers(problem, "u=[1,-2],e_1=[3,4],e_2=[5,6]")
    assert graph.node("h").value == "[8, 10]"
    assert [graph.node(name).slope for name in ("h", "e_1", "e_2")] == ["[1, -2]"] * 3


def test_softmax_regression_in_numbers() -> None:
    graph = with_numbers("softmax-regression", "W=[[1,2],[3,4],[5,7]],x=[1,-1],b=[0,1,0],y=[0,1,0]")
    z = np.array([[1, 2], [3, 4], [5, 7]]) @ np.array([1, -1]) + np.array([0, 1, 0])
    p = np.exp(z) / np.exp(z).sum()
    assert json.loads(graph.node(r"\hat{y}").value) == pytest.approx(p, abs=1e-4)
    assert json.loads(graph.node("z").slope) == pytest.approx(p - np.array([0, 1, 0]), abs=1e-4)
    assert np.array(json.loads(graph.node("W").slope)) == pytest.approx(
        np.outer(p - np.array([0, 1, 0]), [1, -1]), abs=1e-3
    )


def test_a_family_has_the_gradients_of_all_members() -> None:
    graph = with_numbers("negative-sampling", "v_c=[1,0],u_o=[1,2],u_k=[[0,1],[2,0],[1,1]]")
    slopes = np.array(json.loads(graph.node("u_k").slope))
    scores = np.array([[0, 1], [2, 0], [1, 1]]) @ np.array([1, 0])
    assert slopes == pytest.approx(np.outer(1 / (1 + np.exp(-scores)), [1, 0]), abs=1e-4)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ("x=1,y=2", "no value for z"),
        ("x=1,y=2,z=0,w=3", "w is not given in this problem"),
        ("x=1,y=2,z=[0]", "1 axes, but 0"),
        ("x=1,y=2,z=two", "no number"),
        ("x=1,y=2,z", "not NAME=VALUE"),
        ("x=1,y=2,z=[0,", "no number"),
    ],
)
def test_numbers_that_do_not_fit_are_named(numbers: str, said: str) -> None:
    with pytest.raises(AuthorError, match=said):
        with_numbers("graph-max", numbers)


def test_sizes_must_agree() -> None:
    with pytest.raises(AuthorError, match="length 3 where d = 2"):
        with_numbers("softmax-regression", "W=[[1,2]],x=[1,2,3],b=[1],y=[1]")


@pytest.mark.parametrize("identifier", sorted(catalogue()))
def test_every_picture_is_well_formed(identifier: str) -> None:
    graph, _ = graph_of(load(identifier))
    picture = ET.fromstring(svg(graph))
    groups = [g.get("id", "") for g in picture.iter("{http://www.w3.org/2000/svg}g")]
    assert sum(name.startswith("node-") for name in groups) == len(graph.nodes)
    assert sum(name.startswith("edge-") for name in groups) == len(graph.edges)
    placed = place(graph)
    assert all(placed.columns[e.source] < placed.columns[e.target] for e in graph.edges)
    spots = [(placed.columns[n.name], placed.rows[n.name]) for n in graph.nodes]
    assert len(set(spots)) == len(spots), "two nodes stand in one place"


def test_the_command_prints_and_draws(tmp_path: Path) -> None:
    shown = CliRunner().invoke(commands(), ["graph", MAX[0], "--at", MAX[1]])
    assert "2 through a + 3 through b" in shown.output
    target = tmp_path / "graph.svg"
    drawn = CliRunner().invoke(commands(), ["graph", MAX[0], "--at", "x=1,y=2", "--at", "z=0", "-o", str(target)])
    assert (drawn.exit_code, drawn.output) == (0, "")
    assert "max routes" in target.read_text(encoding="utf-8")
    found = json.loads(CliRunner().invoke(commands(), ["graph", MAX[0], "--json"]).stdout)
    assert [node["name"] for node in found["nodes"]] == ["x", "y", "z", "a", "b", "f"]
    refused = CliRunner().invoke(commands(), ["graph", MAX[0], "-o", str(tmp_path / "none" / "x.svg")])
    assert refused.exit_code == 2
