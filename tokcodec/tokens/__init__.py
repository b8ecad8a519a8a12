"""Planes of a picture to ordered tokens, most telling first, and back."""
