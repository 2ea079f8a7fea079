"""Networks by name, built from the rooms below."""
