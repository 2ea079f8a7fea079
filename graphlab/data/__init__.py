"""Data sets by name, from cards; synthetic tasks; splits."""
