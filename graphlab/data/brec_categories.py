"""The categories of BREC's pairs. Imports no torch."""

CATEGORIES = {
    "basic": range(60),
    "simple_regular": range(60, 110),
    "strongly_regular": range(110, 160),
    "extension": range(160, 260),
    "cfi": range(260, 360),
    "four_vertex_condition": range(360, 380),
    "distance_regular": range(380, 400),
}
"""Which of the 400 pairs are of which category."""
