from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadline and no limit of drawing: on a busy machine a slow example is no fault of the code. New examples are a
# developer's to meet; CI has the same ones each time.
settings.register_profile(
    "kosine", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("kosine")
