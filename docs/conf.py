"""Sphinx configuration."""

from __future__ import annotations

import synthgen

project = "synthgen"
author = "The synthgen maintainers"
copyright = "The synthgen maintainers"
release = version = synthgen.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
# Pages that another page includes are no pages of their own.
exclude_patterns = ["_build", "user_guide/peers_table.md", "user_guide/presets_table.md"]
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
# scikit-learn adds these to every estimator, with references to pages of its own.
autodoc_default_options = {
    "exclude-members": "set_fit_request, set_score_request, get_metadata_routing, score, "
    "set_output",
}

html_theme = "pydata_sphinx_theme"
html_title = f"synthgen {version}"
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navigation_with_keys": False,
}
html_sidebars = {"design": [], "changelog": []}
html_show_sourcelink = False
