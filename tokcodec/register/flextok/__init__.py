"""FlexTok (Bachmann et al., 2025), from its published checkpoints."""
