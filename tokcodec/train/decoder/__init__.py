"""Photographs to the network that draws the streams of pyramids."""
