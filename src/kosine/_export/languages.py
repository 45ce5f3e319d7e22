"""How a target writes its operations."""

from __future__ import annotations

from dataclasses import dataclass

from kosine._core.code import Language, atom, power, real


@dataclass(frozen=True, slots=True)
class TargetLanguage(Language):
    """The operations of formulas, and those that find a step's phase and cycle."""

    casts: bool = False
    """Whether integers must be cast before they meet floats."""

    def cast(self, steps: str) -> str:
        """A number of steps as a float, one operand."""
        return f'{self.prefix}cast({steps}, "float32")' if self.casts else atom(steps)

    def search(self, table: str, steps: str) -> tuple[list[str], str]:
        """How many entries of an ordered table are not above the steps, and a line that it needs above it."""
        if self.casts:  # TensorFlow's searchsorted takes no single step
            begun = f"begun = {self.call('greater_equal', f'{steps}[..., None]', table)}"
            return [begun], self.call("sum", self.call("cast", "begun", '"int32"'), "-1")
        return [], self.call("searchsorted", table, steps, '"right"')

    def larger(self, first: str, second: str) -> str:
        return self.call("maximum" if self.arrays else "max", first, second)

    def smaller(self, first: str, second: str) -> str:
        return self.call("minimum" if self.arrays else "min", first, second)

    def times_power(self, factor: float, exponent: str) -> str:
        """` * factor**exponent`, where the exponent counts from 0 on."""
        if self.single:  # the logarithm is rounded once; a factor near 1 would lose most of its digits
            return f" * {self.call('exp', f'log({real(factor)}) * {exponent}')}"
        return f" * {power(real(factor), exponent)}"


PYTHON = TargetLanguage()
NUMPY = TargetLanguage("np.", "np.pi", arrays=True)
JAX = TargetLanguage("jnp.", "jnp.pi", arrays=True, single=True)
KERAS = TargetLanguage("ops.", "pi", arrays=True, single=True, casts=True)
