"""Look at a plan: as a picture, as a page that answers the mouse, in a notebook. `figure` draws with Matplotlib."""

from kosine.plotting.figure import (
    draw_rates,
    mark_phases,
    new_figure,
    plan_figure,
    plot_history,
    plot_plan,
    save_figure,
)
from kosine.plotting.labels import Band, bands, rate_text, step_text
from kosine.plotting.overlay import comparison_figure, plot_comparison
from kosine.plotting.page import comparison_page, plan_page

__all__ = [
    "Band",
    "bands",
    "comparison_figure",
    "comparison_page",
    "draw_rates",
    "mark_phases",
    "new_figure",
    "plan_figure",
    "plan_page",
    "plot_comparison",
    "plot_history",
    "plot_plan",
    "rate_text",
    "save_figure",
    "step_text",
]
