"""The style pictures that are patterns: tiles, poured paint, mosaic."""
