"""Look at a plan: as a picture, as a page that answers the mouse, in a notebook. `figure` draws with Matplotlib."""

from kosine.plotting.figure import draw_rates, mark_phases, new_figure, plot_history, plot_plan, save_figure
from kosine.plotting.labels import Band, bands, rate_text, step_text

__all__ = [
    "Band",
    "bands",
    "draw_rates",
    "mark_phases",
    "new_figure",
    "plot_history",
    "plot_plan",
    "rate_text",
    "save_figure",
    "step_text",
]
