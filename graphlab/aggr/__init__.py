"""Learnable commutative monoids and recurrent aggregators that never pad."""
