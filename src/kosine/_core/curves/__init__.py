"""The curves: one file each, with its formula and the constructor of its phase.

A formula gives the weight of the phase's higher value from a distance, so that no difference of nearly equal
numbers is ever formed: the last steps of a decay to 0 keep all their digits (`curve.Form`). It is written
against a handful of operations, so the host in float64 and a traced graph in float32 run the same one.

In the formulas a phase of n steps goes from s = `start` to e = `to`, u = t/n, and t = 0 is its first step.
With `endpoint=True` u = t/(n - 1), so that the last step is at e; t = n and later is e always.
"""

from kosine._core.curves.cosine import Cosine, cosine
from kosine._core.curves.exponential import Exponential, exponential
from kosine._core.curves.hold import Hold, hold
from kosine._core.curves.inverse import InverseSqrt, InverseTime, inverse_sqrt, inverse_time
from kosine._core.curves.linear import Linear, linear
from kosine._core.curves.one_minus_sqrt import OneMinusSqrt, one_minus_sqrt
from kosine._core.curves.polynomial import Polynomial, polynomial
from kosine._core.curves.tanh import Tanh, tanh

CONSTRUCTORS = {
    constructor.__name__: constructor
    for constructor in (
        cosine,
        exponential,
        hold,
        inverse_sqrt,
        inverse_time,
        linear,
        one_minus_sqrt,
        polynomial,
        tanh,
    )
}
"""Every curve's phase constructor by its name, as the text form and JSON know it."""

__all__ = [
    "CONSTRUCTORS",
    "Cosine",
    "Exponential",
    "Hold",
    "InverseSqrt",
    "InverseTime",
    "Linear",
    "OneMinusSqrt",
    "Polynomial",
    "Tanh",
    "cosine",
    "exponential",
    "hold",
    "inverse_sqrt",
    "inverse_time",
    "linear",
    "one_minus_sqrt",
    "polynomial",
    "tanh",
]
