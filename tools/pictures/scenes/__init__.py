"""The content pictures: three rendered scenes and one simulated flow."""
