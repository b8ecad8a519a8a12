"""Planes of a picture to ordered tokens, most telling first, and back.

The words that all modules from here to the coder share (docs/FORMAT.md, "Bands" to "Tokens"):

- A *channel* is luma or one of two of chroma. Its wavelet coefficients lie in *bands*, a band being
  one scale (*level*, 0 is the coarsest) and one *orientation*; a place in a band is a *cell*.
- A coefficient is a string of ternary *digits*, -1, 0 or +1. All first digits of a band are its
  *plane* 0, all second ones its plane 1, and so on to its *finest plane*. (The planes of `pixels`
  are something else: whole channels.) The quantiser's *step* falls to a third with each plane.
- After plane p a coefficient is known as the integer `q` in steps of that plane: q becomes
  3 q + digit with each further one.
- A *unit* is one plane of one band. It is coded in two *passes*: first the cells of a chess board
  that are even, then the odd ones, which have those as neighbours. As `pass` is a word of Python's,
  a variable that holds a `Pass` is called `step`.
- The `Order` lists all passes of a picture, most telling first. Ten digits in that order, whatever
  passes they belong to, make a *token*.
- Arrays may have *leading axes* (`lead`): training reads many pictures of one size at once.
"""
