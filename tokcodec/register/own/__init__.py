"""The register tokenizers that `tokcodec train register` makes."""
