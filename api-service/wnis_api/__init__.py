"""The public HTTP API: accounts, networks, what happened to them and what is believed about them."""
