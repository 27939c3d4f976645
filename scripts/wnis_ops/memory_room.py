"""How much memory this process may still take: of the machine, and of the control group that it is in."""

from __future__ import annotations

from pathlib import Path

_NO_LIMIT = 1 << 60
"""Version 1 of control groups writes a number near 2**63 for "no limit"."""


def available_bytes(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Memory that is left; None where the system does not tell (it is no Linux)."""
    try:
        lines = (line.split() for line in (proc / "meminfo").read_text(encoding="utf-8").splitlines())
        known = {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) > 1}
        left = known["MemAvailable"] + known.get("SwapFree", 0)
    except (OSError, KeyError, ValueError):
        return None
    return min([left, *_left_in_groups(proc, groups)])


def _left_in_groups(proc: Path, groups: Path) -> list[int]:
    left = []
    try:
        own = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    for line in own:
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            root, names = groups / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        elif not controllers:
            root, names = groups, ("memory.max", "memory.current", "inactive_file")
        else:
            continue
        # a limit of any group above counts, too; in a container the path may be that outside, and its root is ours
        folder = root / path.strip("/")
        for one in (folder, *folder.parents):
            if one.is_relative_to(root) and (room := _left_in(one, *names)) is not None:
                left.append(room)
    return left


def _left_in(group: Path, limit: str, usage: str, cache: str) -> int | None:
    try:
        allowed = (group / limit).read_text(encoding="utf-8").strip()
        if not allowed.isdecimal() or int(allowed) >= _NO_LIMIT:
            return None
        used = int((group / usage).read_text(encoding="utf-8"))
        stat = dict(line.split() for line in (group / "memory.stat").read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError):
        return None
    # what was read from files and not for long is given back when it is needed
    return int(allowed) - used + int(stat.get(cache, 0))
