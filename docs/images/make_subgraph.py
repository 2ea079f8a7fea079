"""Draw the pictures of docs/subgraph.md: ``python docs/images/make_subgraph.py`` writes them beside itself."""

from collections.abc import Callable, Iterable
from pathlib import Path

HERE = Path(__file__).parent
STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #57606a }
    .title { font-size: 16px; font-weight: 600; fill: #1f2328 }
    .formula { font: italic 15px Georgia, serif; fill: #1f2328 }
    .label { text-anchor: middle }
    .edge { stroke: #8b949e; stroke-width: 1.5 }
    .near { stroke: #2f81f7; stroke-width: 2.5 }
    .bag { fill: #2f81f7; stroke: #2f81f7; stroke-width: 58; stroke-linejoin: round; opacity: .13 }
    .node { fill: #ffffff; stroke: #8b949e; stroke-width: 1.5 }
    .member { fill: #ffffff; stroke: #2f81f7; stroke-width: 2.5 }
    .root { fill: #2f81f7 }
    .inside { fill: #ffffff; font-weight: 600 }
    .cell { stroke: #8b949e; stroke-opacity: .5; fill: none }
    .blue { fill: #2f81f7 }
    .green { fill: #2da44e }
    .orange { fill: #d1622b }
    @media (prefers-color-scheme: dark) {
      text { fill: #9198a1 }
      .title, .formula { fill: #f0f6fc }
      .node, .member { fill: #0d1117 }
    }
"""
NODES = [(150, 130), (85, 80), (215, 75), (75, 175), (215, 190), (290, 125), (300, 215), (150, 235), (25, 125)]
EDGES = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 5), (4, 5), (4, 6), (5, 6), (3, 7), (4, 7), (1, 8), (3, 8)]
BAG = [0, 1, 2, 3, 4]
HULL = "M85 80L215 75L215 190L75 175Z"
# What is drawn, its letter, how many operations of the basis it stands for, and its entries.
PARTS = [
    ("entries", "P", 1, "blue", lambda i, j: shade(i, j)),
    ("turned round", "Q", 1, "green", lambda i, j: shade(j, i)),
    ("rows", "r", 3, "orange", lambda i, _: shade(i, 2)),
    ("columns", "c", 3, "orange", lambda _, j: shade(2, j)),
    ("diagonal", "d", 5, "blue", lambda i, j: shade(i, 4) if i == j else 0.0),
    ("all", "a", 2, "green", lambda _, __: 0.4),
]
INDEX = ["ij", "ji", "i", "j", "i", ""]


def shade(i: int, j: int) -> float:
    """A number between 0.1 and 1 of each entry."""
    return 0.1 + 0.9 * ((7 * i * i + 11 * j + 5 * i * j + 3) % 13) / 12


def text(x: float, y: float, words: str, kind: str = "label") -> str:
    """A line of words."""
    return f'<text class="{kind}" x="{x}" y="{y}">{words}</text>'


def grid(x: float, y: float, size: int, cell: int, kind: str, opacity: Callable[[int, int], float]) -> Iterable[str]:
    """A matrix of cells, each as dark as its entry."""
    for i in range(size):
        for j in range(size):
            box = f'x="{x + j * cell}" y="{y + i * cell}" width="{cell}" height="{cell}"'
            if opacity(i, j):
                yield f'<rect class="{kind}" fill-opacity="{opacity(i, j):.2f}" {box}/>'
            yield f'<rect class="cell" {box}/>'


def drawing(name: str, width: int, height: int, title: str, parts: Iterable[str]) -> None:
    """Write a picture."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    body = "\n  ".join([f"<title>{title}</title>", f"<style>{STYLE}  </style>", *parts])
    (HERE / name).write_text(f'{head} role="img">\n  {body}\n</svg>\n', encoding="utf-8")


def graph() -> Iterable[str]:
    """A graph, and the nodes within one hop of one of them."""
    yield f'<path class="bag" d="{HULL}"/>'
    for u, v in EDGES:
        kind = "near" if u in BAG and v in BAG else "edge"
        (x1, y1), (x2, y2) = NODES[u], NODES[v]
        yield f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'
    for v, (x, y) in enumerate(NODES):
        kind = "root" if v == 0 else "member" if v in BAG else "node"
        yield f'<circle class="{kind}" cx="{x}" cy="{y}" r="15"/>'
        yield text(x, y + 5, str(v), "label inside" if v == 0 else "label")


def tensor(left: int, top: int, cell: int) -> Iterable[str]:
    """The features of all pairs of nodes of the bag."""
    joined = {frozenset(edge) for edge in EDGES}
    yield from grid(left, top, len(BAG), cell, "orange", lambda i, j: 0.75 * (i == j))
    pairs = lambda i, j: 0.75 * (i != j and frozenset((BAG[i], BAG[j])) in joined)  # noqa: E731
    yield from grid(left, top, len(BAG), cell, "blue", pairs)
    for i, v in enumerate(BAG):
        yield text(left - 16, top + cell * i + cell / 2 + 5, str(v))
        yield text(left + cell * i + cell / 2, top - 9, str(v))


def legend(left: int, top: int) -> Iterable[str]:
    """What the colours of the tensor say."""
    lines = [("orange", "nodes"), ("blue", "edges"), ("", "pairs without an edge:"), (None, "zero at first")]
    for i, (kind, words) in enumerate(lines):
        if kind is not None:
            fill = f'class="{kind}" fill-opacity="0.75"' if kind else 'class="cell"'
            yield f'<rect {fill} x="{left}" y="{top + 26 * i}" width="16" height="16"/>'
        yield text(left + 26, top + 26 * i + 13, words, "words")


def bag_picture() -> None:
    """A bag and its tensor of pairs."""
    parts = [text(14, 24, "The bag of node 0: what is within one hop", "title"), *graph()]
    parts += [text(440, 24, "One feature vector for each pair in it", "title"), *tensor(470, 70, 34)]
    parts += legend(670, 75)
    parts.append(text(440, 262, "After a layer a pair is the mean over all bags that hold it.", "words"))
    drawing("subgraph_bag.svg", 860, 280, "An ego net of five nodes and the five by five tensor of its pairs", parts)


def map_picture() -> None:
    """The factored equivariant map."""
    parts, cell, step = [text(14, 24, "All 15 equivariant maps, as a sum of six parts", "title")], 17, 146
    for k, (words, letter, count, kind, opacity) in enumerate(PARTS):
        left, middle = 14 + step * k, 14 + step * k + 2.5 * cell
        parts += grid(left, 50, 5, cell, kind, opacity)
        sub = f'<tspan dy="5" font-size="11">{INDEX[k]}</tspan>' if INDEX[k] else ""
        delta = 'δ<tspan dy="5" font-size="11">ij</tspan><tspan dy="-5"> </tspan>' if letter == "d" else ""
        parts.append(text(middle, 162, f"{delta}{letter}{sub}", "label formula"))
        parts += [text(left + 116, 98, "+", "label title")] * (k + 1 < len(PARTS))
        parts.append(text(middle, 190, words))
        parts.append(text(middle, 210, f"{count} of 15"))
    parts.append(text(14, 244, "P and Q: one matrix product each of all m² pairs of a bag.", "words"))
    of_nodes = "The others: products of the m rows of means and diagonal, and of two means of the whole bag."
    parts.append(text(14, 264, of_nodes, "words"))
    drawing("subgraph_maps.svg", 860, 280, "The equivariant linear map of order two in six parts", parts)


if __name__ == "__main__":
    bag_picture()
    map_picture()
