"""Any picture to planes that a tokenizer reads, and back."""
