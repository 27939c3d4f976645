"""The local instance: one home folder, its secrets, its Neo4j, its three services, and what watches over them."""
