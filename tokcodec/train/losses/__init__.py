"""How far a picture is from what it should be, in other ways than squared error."""
