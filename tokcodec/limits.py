"""The numbers that keep a 32-byte file from taking the machine."""

MAX_PIXELS = 89_478_485  # as Pillow's Image.MAX_IMAGE_PIXELS: a quarter of a gigabyte of RGB
MAX_SIDE = 65_536  # what a header can say
# Decibels aimed at when no limit is given: hard to tell from the original at arm's length.
DEFAULT_PSNR = 32.0
