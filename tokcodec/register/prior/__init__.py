"""How likely the digits of register tokens are: integers alone."""
