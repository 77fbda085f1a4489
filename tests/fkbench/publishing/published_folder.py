"""Publishing all runs of a folder, and what lies in a published one."""

from __future__ import annotations

from pathlib import Path

from fkbench.publishing import Scrubber, publish, rebuild


def publish_all(store, folder, **options):
    done = publish(store.records(), folder, Scrubber(("jane",)), **options)
    rebuild(folder)
    return done


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def tables(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in content(folder).items() if "/" not in name}
