"""A range test or a rehearsal as one html file that answers the mouse."""

from __future__ import annotations

import html
from typing import Any

from kosine._core.views import view
from kosine._display.figure import COLOURS, TINTS
from kosine._display.loss_scene import LossScene, Series
from kosine._display.page import document, preformatted


def page(result: object, title: str | None) -> str:
    """The picture, and below it what a terminal shows."""
    scene: LossScene = view(result, "scene")
    text, _, tables = str(result).partition("\n\n")
    said = f"<p>{html.escape(' '.join(text.split()))}</p>"
    below = ["<h2>Findings</h2>", said, preformatted(tables)]
    return document(scene.heading if title is None else title, _data(scene), below, "loss_page.js", "", "whole picture")


def _data(scene: LossScene) -> dict[str, Any]:
    colour, opacity = TINTS["hold"]
    return {
        "series": [_series(each) for each in scene.series],
        "rates": scene.rates,
        "losses": scene.losses,
        "off": scene.off,
        "off_colour": COLOURS[1],
        "band": scene.band,
        "band_name": scene.band_name,
        "band_colour": colour,
        "band_opacity": opacity,
        "spreads": [
            {"name": each.name, "ends": [each.low, each.high], "rate": each.rate, "text": scene.style(each.rate, 2)}
            for each in scene.spreads
        ],
        "spread_colour": COLOURS[0],
        "scientific": scene.tick_style.scientific,
    }


def _series(series: Series) -> dict[str, Any]:
    return {
        "rates": series.rates.tolist(),
        "losses": series.losses.tolist(),
        "name": series.name,
        "kind": series.kind,
        "colour": COLOURS[series.colour],
    }
