"""How far float32 rates are from a plan."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import kosine as ks

ULPS = 8.0


def ulps(rates: Any, exact: Any) -> NDArray[np.float64]:
    """The distance in units in the last place of float32 at the exact value.

    Numbers below the smallest normal number, 1.2e-38, are 0 on a device: the unit is never less than that number.
    """
    wanted = np.asarray(exact, np.float64)
    normal = float(np.finfo(np.float32).smallest_normal)
    unit = np.maximum(normal, np.spacing(wanted.astype(np.float32)).astype(np.float64))
    return np.abs(np.asarray(rates, np.float64) - wanted) / unit


def assert_follows(rates: Any, plan: ks.Plan, steps: Any) -> None:
    """The rates are those of the plan at `steps`, within 8 ulp, one for each."""
    assert np.shape(rates) == np.shape(steps)
    wanted = plan(np.asarray(steps))
    distances = ulps(rates, wanted)
    worst = np.unravel_index(distances.argmax(), distances.shape)
    assert distances[worst] <= ULPS, (
        f"step {np.asarray(steps)[worst]:,}: {np.asarray(rates)[worst]!r}, planned {wanted[worst]!r}, "
        f"{distances[worst]:.1f} ulp"
    )
