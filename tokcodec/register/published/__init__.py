"""Published checkpoints: what they are, where they lie, and what is in them."""
