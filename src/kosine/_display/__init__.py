"""Pictures, pages, tables and texts of schedules, plans and results."""

from kosine._core.views import register

register(
    {
        "Schedule.html": "kosine._display.notebook:schedule_html",
        "Schedule.svg": "kosine._display.notebook:schedule_svg",
        "Plan.text": "kosine._display.tables:plan_table",
        "Plan.plot": "kosine._display.figure:plot_plan",
        "Plan.html": "kosine._display.notebook:plan_html",
        "Plan.svg": "kosine._display.notebook:plan_svg",
        "Comparison.text": "kosine._display.comparison_table:text",
        "Comparison.plot": "kosine._display.comparison_figure:plot_comparison",
        "Comparison.html": "kosine._display.notebook:comparison_html",
        "Verdict.text": "kosine._display.verdict_text:verdict_text",
        "Verdict.plot": "kosine._display.log_figure:plot_verdict",
        "Verdict.html": "kosine._display.notebook:verdict_html",
        "Inference.text": "kosine._display.inference_text:inference_text",
        "Inference.plot": "kosine._display.log_figure:plot_inference",
        "Inference.html": "kosine._display.notebook:inference_html",
        "LearningRateHistory.plot": "kosine._display.figure:plot_history",
    }
)
