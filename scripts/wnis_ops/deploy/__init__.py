"""Upgrades of a running instance: the new release beside the old one, checked, then in its place, or all back."""
