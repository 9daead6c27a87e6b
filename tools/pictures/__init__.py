"""How the made pictures of `images/` are made: scenes to paint, paintings and patterns to paint them with."""
