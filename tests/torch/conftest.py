"""What tests with other libraries need."""

from collections.abc import Iterator

import accelerate
import pytest


@pytest.fixture
def fresh_accelerate() -> Iterator[None]:
    """Accelerators share a state for the life of the process."""
    accelerate.state.AcceleratorState._reset_state(True)
    yield
    accelerate.state.AcceleratorState._reset_state(True)
