"""Images, data sets, and what a network is asked to do with them."""
