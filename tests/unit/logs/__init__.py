"""Log lines and what is kept out of them."""
