"""Digits and their frequencies to bytes, and back."""
