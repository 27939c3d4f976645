"""Neo4j's configuration for one machine: strict, quiet, local only."""

from __future__ import annotations

from pathlib import Path

HEAP_MB = 512


def configuration_text(home: Path, bolt_port: int, heap_mb: int = HEAP_MB) -> str:
    """The content of ``neo4j.conf`` for a server with its directories under `home`; transactions get half the heap."""
    settings = {
        "server.directories.data": home / "data",
        "server.directories.logs": home / "logs",
        "server.directories.plugins": home / "plugins",
        "server.directories.import": home / "import",
        "server.directories.run": home / "run",
        "server.config.strict_validation.enabled": "true",
        # both addresses: without the second one it advertises 7687
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.listen_address": f"127.0.0.1:{bolt_port}",
        "server.bolt.advertised_address": f"127.0.0.1:{bolt_port}",
        "server.http.enabled": "false",
        "dbms.usage_report.enabled": "false",
        # whoever may write Cypher gets neither files nor the network
        "dbms.security.allow_csv_import_from_file_urls": "false",
        "internal.dbms.cypher_ip_blocklist": "0.0.0.0/0,::/0",
        # Neo4j's own procedures are always there; this keeps out those of a jar dropped into plugins/
        "dbms.security.procedures.allowlist": "db.*,dbms.*,tx.*",
        "db.transaction.timeout": "60s",
        "db.lock.acquisition.timeout": "10s",
        "dbms.memory.transaction.total.max": f"{heap_mb // 2}m",
        "server.memory.heap.initial_size": f"{HEAP_MB}m",
        "server.memory.heap.max_size": f"{heap_mb}m",
        "server.memory.pagecache.size": "128m",
        # 258 MB of empty log otherwise
        "db.tx_log.preallocate": "false",
        "db.tx_log.rotation.size": "16m",
        "db.tx_log.rotation.retention_policy": "2 files",
        # stops in half a second instead of ten
        "internal.server.bolt.thread_pool_shutdown_wait_time": "0s",
        "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def java_options(*, short_lived: bool, heap_mb: int = HEAP_MB) -> list[str]:
    """Flags of the Java runtime for a small machine; `short_lived` trades peak speed for a faster start."""
    opened = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
    return [
        f"-Xms{HEAP_MB}m",
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        "--enable-native-access=ALL-UNNAMED",
        *(["-XX:TieredStopAtLevel=1"] if short_lived else []),
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in opened),
        "-Dlog4j2.disable.jmx=true",
        "-Dio.netty.tryReflectionSetAccessible=true",
    ]
