"""Photographs to models, priors, decoders and tokenizers: what `tokcodec train` runs."""
