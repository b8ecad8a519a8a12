"""Doors to other houses, one thin file each."""
