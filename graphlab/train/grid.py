"""Tables of strings: aligned for a terminal, or as Markdown."""

from collections.abc import Sequence


def as_text(header: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """Align columns by spaces.

    Args:
        header: names of the columns.
        rows: their cells.
        left: how many of the first columns hold words, and so begin at one edge; figures end at one.
    """
    lines = [header, *rows]
    widths = [max(len(line[c]) for line in lines) for c in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if c < left else cell.rjust(width)
            for c, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """Write a Markdown table.

    Args:
        header: names of the columns.
        rows: their cells.
        left: how many of the first columns hold words, and so begin at one edge; figures end at one.
    """
    rows = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    rule = ["---" if c < left else "---:" for c in range(len(header))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, rule, *rows])
