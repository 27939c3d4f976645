"""The manifests under kubernetes/, read as a cluster would read them."""
