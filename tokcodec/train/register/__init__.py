"""Photographs to a register tokenizer of one's own, and to priors of its digits."""
