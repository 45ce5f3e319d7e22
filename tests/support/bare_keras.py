"""To import before Keras, in a process of its own: Keras then leaves out what it imports only where it is installed.

Scikit-learn and Matplotlib take half of the seconds of `import keras`, and nothing in such a process needs them.
"""

import sys

for name in ("sklearn", "matplotlib"):
    sys.modules[name] = None  # type: ignore[assignment]  # what is None cannot be imported
