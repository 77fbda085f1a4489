"""Which runtimes are meant, and why one cannot be used here."""

from __future__ import annotations

from collections.abc import Sequence

from fkbench.errors import FkbenchError
from fkbench.registry import Registry
from fkbench.specs import RuntimeSpec

ALL = "all"
PLAIN = "eager"
"""The runtime that others are compared with; the first row where there are several."""


def why_not(spec: RuntimeSpec, device_type: str) -> str | None:
    """Why a runtime cannot be used here on this type of device, or None."""
    reason = spec.unavailable()
    if reason is None and device_type not in spec.devices:
        return f"works on {' and '.join(spec.devices)}, not on {device_type}"
    return reason


def choose_runtimes(registry: Registry, text: str, device_type: str) -> tuple[list[RuntimeSpec], dict[str, str]]:
    """The runtimes of `--runtime`.

    Args:
        text: names with commas, or `all`.

    Returns:
        Those that can be used, the plain one first; and of `all` the others, with the reason.

    Raises:
        FkbenchError: one of them is unknown, or named and not usable here.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise FkbenchError("--runtime names no runtime.", "`fkbench list runtimes` has them; `all` means each of them.")
    if names == [ALL]:
        return _usable(registry.all(RuntimeSpec), device_type)
    specs = [registry.get(RuntimeSpec, name) for name in names]
    for spec in specs:
        reason = why_not(spec, device_type)
        if reason is not None:
            raise FkbenchError(
                f"The runtime '{spec.name}' cannot be used here: {reason}.", "`fkbench list runtimes` has the others."
            )
    return specs, {}


def _usable(specs: Sequence[RuntimeSpec], device_type: str) -> tuple[list[RuntimeSpec], dict[str, str]]:
    reasons = {spec.name: why_not(spec, device_type) for spec in specs}
    usable = [spec for spec in specs if reasons[spec.name] is None]
    return sorted(usable, key=lambda spec: spec.name != PLAIN), {
        n: why for n, why in reasons.items() if why is not None
    }
