"""The analysts' console: Cypher that people write, kept to reading, to a time, and to a size.

``words`` and ``plans`` refuse, ``child`` runs, ``answers`` makes JSON, ``door`` is what the API holds. Nothing is
imported here: the child starts from this package, and what it does not need would cost it half a second.
"""
