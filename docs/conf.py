"""How Sphinx builds the site: `make docs` writes it to build/docs, offline."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import kosine

project = "kosine"
author = "The developers of kosine"
copyright = "the developers of kosine"
version = release = kosine.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "command_help", "docstrings", "public_names"]
root_doc = "index"
source_suffix = {".md": "markdown"}
exclude_patterns = ["_ext", "_static"]

# --- Markdown ---

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# --- the reference, from the docstrings ---

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"DurationLike": "DurationLike"}
autodoc_inherit_docstrings = False
napoleon_numpy_docstring = False
napoleon_preprocess_types = False
napoleon_use_rtype = False
napoleon_custom_sections = ["Source", ("Warns", "Raises")]
default_role = "code"  # docstrings have single backticks around code
add_module_names = False
maximum_signature_line_length = 100
python_use_unqualified_type_names = True

# Types in signatures: mypy checks them, and those of other packages and of private modules have no page here.
nitpick_ignore_regex = [("py:class", ".*")]

# --- the look ---

html_theme = "furo"
html_title = "kosine"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
