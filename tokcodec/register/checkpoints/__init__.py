"""Checkpoints of register tokenizers, published or one's own: where they lie, what is in them."""
