"""Register tokenizers: published ones (TiTok, One-D-Piece, FlexTok), and those trained here."""
