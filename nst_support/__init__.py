"""What the course stands on and does not teach: start-up, files in and out, weights, figures."""
