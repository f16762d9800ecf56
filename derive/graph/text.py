"""A computation graph as rows of text: what each node computes, its value, its gradient and whence it comes."""

from __future__ import annotations

from collections.abc import Iterator

from derive.graph.model import Graph, GraphNode
from derive.plaintext import readable

HEAD = ("node", "computes", "value", "gradient", "which comes from")
HEAD_WITHOUT = ("node", "computes", "shape", "gradient", "which comes from")


def rows(graph: Graph) -> Iterator[tuple[str, ...]]:
    """The rows under `HEAD` (`HEAD_WITHOUT` where there are no numbers), in the order of the computation."""
    for node in graph.nodes:
        value = node.value or node.shape
        slope = node.slope or readable(node.gradient)
        yield readable(node.name), _computes(node), value, slope, _sources(graph, node)


def _computes(node: GraphNode) -> str:
    if node.given:
        return "given"
    return readable(node.definition) + (f"   ({node.role})" if node.role else "")


def _sources(graph: Graph, node: GraphNode) -> str:
    """What comes back along each edge."""
    parts = [
        f"{edge.slope or readable(edge.passed)} through {readable(edge.target)}"
        for edge in graph.edges
        if edge.source == node.name
    ]
    return " + ".join(parts) if parts else "the loss itself"
