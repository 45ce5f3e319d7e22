"""The curves: one file each holds everything about its curve.

These are its formula (`form`), the value that it ends at (`end`), its code in exported programs (`code`, with the
properties that they need), its fit to a log (`fits`), and the constructor of its phase. The constructor registers the
curve in the table of curves.

A formula gives the weight of the phase's higher value from a distance. It never subtracts nearly equal numbers, so the
last steps of a decay to 0 keep all their digits (`curve.Form`). It is written with a handful of operations, so the host
in float64 and a traced graph in float32 run the same formula.

In the formulas a phase of n steps goes from s = `start` to e = `to`, u = t/n, and t = 0 is its first step.
With `endpoint=True` u = t/(n - 1), so that the last step is at e; t = n and later is e always.
"""

from kosine._core.curves._registry import CLASSES, CONSTRUCTORS
from kosine._core.curves.cosine import cosine
from kosine._core.curves.exponential import exponential
from kosine._core.curves.hold import hold
from kosine._core.curves.inverse import inverse_sqrt, inverse_time
from kosine._core.curves.linear import linear
from kosine._core.curves.logarithm import logarithm
from kosine._core.curves.one_minus_sqrt import one_minus_sqrt
from kosine._core.curves.polynomial import polynomial
from kosine._core.curves.rex import rex
from kosine._core.curves.tanh import tanh

__all__ = [
    "CLASSES",
    "CONSTRUCTORS",
    "cosine",
    "exponential",
    "hold",
    "inverse_sqrt",
    "inverse_time",
    "linear",
    "logarithm",
    "one_minus_sqrt",
    "polynomial",
    "rex",
    "tanh",
]
