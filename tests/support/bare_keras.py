"""To import before Keras, in a process of its own: Keras then leaves out what it imports only where it is installed.

Scikit-learn and Matplotlib take half of the seconds of `import keras`. TensorFlow takes as long again: each backend
imports it to set a seed and to serialize an object. Nothing in such a process needs them.
"""

import os
import sys

for name in ("sklearn", "matplotlib", "tensorflow"):
    if name != os.environ["KERAS_BACKEND"]:
        sys.modules[name] = None  # type: ignore[assignment]  # what is None cannot be imported
