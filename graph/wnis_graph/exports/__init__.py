"""Networks as files that other programs open: GeoPackage, and a bundle of JSON lines that depends on no database."""
