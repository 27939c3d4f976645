"""Registers from files of GIS: read on the person's own machine, matched to the network as the API draws it.

`layers` reads a file into cells and geometries, `plane` brings these and the network onto one plane in metres,
`matching` finds the component of each row, and `proposal` writes a mapping for a file that has none.
"""
