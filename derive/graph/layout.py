"""Where the nodes of a graph stand: columns by rank, rows so that few edges cross, edges around what lies between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from derive.graph.model import Edge, Graph

ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Placed:
    """The column and row of each node, and for each edge the rows that it passes in the columns between its ends."""

    columns: Mapping[str, int]
    rows: Mapping[str, float]
    bends: Mapping[tuple[str, str], tuple[tuple[int, float], ...]]
    height: float


def place(graph: Graph) -> Placed:
    """Columns by rank; in each column the order that brings nodes next to their neighbours, found by sweeping."""
    columns = {node.name: node.rank for node in graph.nodes}
    chains = {(e.source, e.target): _chain(e, columns) for e in graph.edges}
    layers: dict[int, list[str]] = {}
    for name, column in columns.items():
        layers.setdefault(column, []).append(name)
    for chain in chains.values():
        for k, dummy in chain[1:-1]:
            layers.setdefault(k, []).append(dummy)
    near = _neighbours(chains)
    for k in range(ROUNDS):
        order = sorted(layers) if k % 2 == 0 else sorted(layers, reverse=True)
        rows = {name: i for names in layers.values() for i, name in enumerate(names)}
        for column in order:
            side = near[-1 if k % 2 == 0 else 1]
            middles = {name: _middle(side.get(name, []), rows, name) for name in layers[column]}
            layers[column].sort(key=middles.__getitem__)
            rows.update({name: i for i, name in enumerate(layers[column])})
    rows_of = _centred(layers)
    bends = {key: tuple((k, rows_of[name]) for k, name in chain[1:-1]) for key, chain in chains.items()}
    return Placed(columns, {name: rows_of[name] for name in columns}, bends, max(map(len, layers.values()), default=1))


def _chain(edge: Edge, columns: Mapping[str, int]) -> list[tuple[int, str]]:
    """An edge as a chain through all columns between its ends."""
    start, end = columns[edge.source], columns[edge.target]
    inner = [(k, f"{edge.source}>{edge.target}>{k}") for k in range(start + 1, end)]
    return [(start, edge.source), *inner, (end, edge.target)]


def _neighbours(chains: Mapping[tuple[str, str], list[tuple[int, str]]]) -> dict[int, dict[str, list[str]]]:
    """What stands left (−1) and right (1) of each node along the edges."""
    out: dict[int, dict[str, list[str]]] = {-1: {}, 1: {}}
    for chain in chains.values():
        for (_, left), (_, right) in pairwise(chain):
            out[1].setdefault(left, []).append(right)
            out[-1].setdefault(right, []).append(left)
    return out


def _middle(near: list[str], rows: Mapping[str, int], name: str) -> float:
    return sum(rows[other] for other in near) / len(near) if near else rows[name]


def _centred(layers: Mapping[int, list[str]]) -> dict[str, float]:
    tallest = max(map(len, layers.values()), default=1)
    return {name: i + (tallest - len(names)) / 2 for names in layers.values() for i, name in enumerate(names)}
