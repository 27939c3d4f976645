"""The units of config/systemd."""
