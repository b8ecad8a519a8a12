"""TiTok (Yu et al., 2024) and One-D-Piece (Miwa et al., 2025), from their published checkpoints."""
