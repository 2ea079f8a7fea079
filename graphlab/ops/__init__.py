"""Ground floor: grouped reductions, tree reduction and ragged recurrence, each with a slow readable reference."""
