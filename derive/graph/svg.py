"""A computation graph as an SVG picture: values forward in one colour, gradients backward in another."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from derive.graph.layout import Placed, place
from derive.graph.model import Edge, Graph, GraphNode
from derive.plaintext import readable

WIDTH, GAP, HEIGHT, SPACE, MARGIN = 148, 104, 62, 44, 26
LETTER, LONGEST_LABEL, LONGEST_NUMBER = 7.0, 20, 16
STYLE = """
  .graph { font: 13px system-ui, sans-serif; --ink: #1b1b1f; --paper: #ffffff; --line: #8a8f98; --box: #f4f6fa;
    --value: #1f5fbf; --slope: #b3261e; }
  @media (prefers-color-scheme: dark) { .graph { --ink: #e6e6ea; --paper: #16171a; --line: #7d828c; --box: #23262c;
    --value: #82b1ff; --slope: #ff8a80; } }
  .graph rect { fill: var(--box); stroke: var(--line); }
  .graph .given rect { fill: var(--paper); stroke-dasharray: 4 3; }
  .graph text { fill: var(--ink); text-anchor: middle; } .graph .name { font-weight: 600; font-size: 15px; }
  .graph .role { font-size: 11px; font-style: italic; opacity: .75; } .graph path { fill: none; stroke: var(--line); }
  .graph .value { fill: var(--value); } .graph .slope { fill: var(--slope); }
  .graph marker path { fill: var(--line); stroke: none; }
"""


def svg(graph: Graph) -> str:
    """The picture.  Nodes are groups with ids `node-K`, edges with `edge-K`, for scripts that light them up."""
    placed = place(graph)
    columns = max(placed.columns.values(), default=0) + 1
    width = columns * WIDTH + (columns - 1) * GAP + 2 * MARGIN
    height = placed.height * (HEIGHT + SPACE) + 2 * MARGIN
    body = [*_edges(graph, placed), *_nodes(graph, placed)]
    title = escape(f"Computation graph: {graph.title}")
    return "\n".join([
        f'<svg class="graph" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'width="{width:.0f}" height="{height:.0f}" aria-label="{title}">',
        f"<title>{title}</title>", f"<desc>{escape(described(graph))}</desc>", f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 0L8 4L0 8z"/></marker></defs>', *body, "</svg>",
    ])  # fmt: skip


def described(graph: Graph) -> str:
    """The picture in words."""
    said = []
    for node in graph.nodes:
        text = (
            f"{readable(node.name)} is given" if node.given else f"{readable(node.name)} = {readable(node.definition)}"
        )
        text += f" = {node.value}" if node.value else ""
        slope = node.slope or readable(node.gradient)
        said.append(f"{text}; its gradient is {slope}.")
    return " ".join(said)


def _place(name: str, placed: Placed) -> tuple[float, float]:
    """The left upper corner of a node."""
    return MARGIN + placed.columns[name] * (WIDTH + GAP), MARGIN + placed.rows[name] * (HEIGHT + SPACE) + SPACE / 2


def _nodes(graph: Graph, placed: Placed) -> Iterator[str]:
    for number, node in enumerate(graph.nodes):
        x, y = _place(node.name, placed)
        middle = x + WIDTH / 2
        kind = "node given" if node.given else "node"
        yield f'<g class="{kind}" id="node-{number}" data-name="{escape(node.name, quote=True)}">'
        yield f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="9"/>'
        label = readable(node.name) if node.given else f"{readable(node.name)} = {readable(node.definition)}"
        label = label if len(label) <= LONGEST_LABEL else readable(node.name)
        yield f'<text class="name" x="{middle:.0f}" y="{y + 19:.0f}">{escape(label)}</text>'
        yield f'<text class="value" x="{middle:.0f}" y="{y + 36:.0f}">{escape(_short(node.value or node.shape))}</text>'
        yield f'<text class="slope" x="{middle:.0f}" y="{y + 53:.0f}">{escape(_slope(node))}</text>'
        if node.role:
            yield f'<text class="role" x="{middle:.0f}" y="{y - 6:.0f}">{escape(node.role)}</text>'
        slope = node.slope or readable(node.gradient)
        yield f"<title>{escape(readable(node.name))}: gradient {escape(slope)}</title></g>"


def _slope(node: GraphNode) -> str:
    return _short(node.slope or readable(node.gradient))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def _edges(graph: Graph, placed: Placed) -> Iterator[str]:
    for number, edge in enumerate(graph.edges):
        x, y = _place(edge.source, placed)
        points = [(x + WIDTH, y + HEIGHT / 2)]
        for column, row in placed.bends[edge.source, edge.target]:
            left = MARGIN + column * (WIDTH + GAP)
            level = MARGIN + row * (HEIGHT + SPACE) + SPACE / 2 + HEIGHT / 2
            points += [(left, level), (left + WIDTH, level)]
        x, y = _place(edge.target, placed)
        points.append((x - 2, y + HEIGHT / 2))
        yield f'<g class="edge" id="edge-{number}">'
        yield f'<path d="{_path(points)}" marker-end="url(#tip)"/>'
        yield from _labels(graph, edge, points)
        yield "</g>"


def _path(points: list[tuple[float, float]]) -> str:
    """A smooth curve through points from left to right."""
    (x, y), *rest = points
    out = f"M{x:.0f} {y:.0f}"
    for u, v in rest:
        half = (x + u) / 2
        out += f" C{half:.0f} {y:.0f} {half:.0f} {v:.0f} {u:.0f} {v:.0f}"
        x, y = u, v
    return out


def _labels(graph: Graph, edge: Edge, points: list[tuple[float, float]]) -> Iterator[str]:
    """The value that goes forward above an edge, what comes back below it, where both are numbers."""
    value = graph.node(edge.source).value
    (x, y), (u, v) = points[-2:]
    at, level = (x + u) / 2, (y + v) / 2
    for text, kind, by in ((value, "value", -7), (edge.slope, "slope", 16)):
        if text and len(text) <= LONGEST_NUMBER:
            yield f'<text class="{kind}" x="{at:.0f}" y="{level + by:.0f}">{escape(text)}</text>'
