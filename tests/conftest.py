from __future__ import annotations

from hypothesis import settings

# No deadline: on a busy machine a slow example is no fault of the code.
settings.register_profile("kosine", deadline=None)
settings.load_profile("kosine")
