"""Read the learning rate of a run from its log."""

from kosine.logs.precision import Precision
from kosine.logs.reading import read_trace
from kosine.logs.trace import Axis, Remark, Trace

__all__ = ["Axis", "Precision", "Remark", "Trace", "read_trace"]
