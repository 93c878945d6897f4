"""Images, recipes and the training loop."""
