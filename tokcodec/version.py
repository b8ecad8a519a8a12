"""The version of this package, and of the files that say which one wrote them."""

VERSION = "0.1.0"
