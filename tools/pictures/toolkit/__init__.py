"""What the pictures share: colour, noise, strokes, light, distances."""
