"""Draw the picture of the README, docs/schedule.png:    python scripts/readme_picture.py"""

from pathlib import Path

import kosine as ks
from kosine.plotting import new_figure, plot_plan, save_figure

TEXTS = (
    'warmup_cosine(peak=1e-3, warmup="10ep", hold="5ep")',
    'sgdr(peak=1e-3, period="10ep", stretch=2)',
)


def main() -> None:
    figure = new_figure(9, 5.4)
    for axes, text in zip(figure.subplots(len(TEXTS), 1), TEXTS, strict=True):
        plot_plan(ks.parse(text).plan(epochs=70, steps_per_epoch=788), ax=axes)
        axes.set_title(text, loc="left", fontsize=10.5, family="monospace")
    save_figure(figure, Path(__file__).resolve().parent.parent / "docs" / "schedule.png", dpi=130)


if __name__ == "__main__":
    main()
