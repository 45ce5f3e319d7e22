"""Pictures, pages, tables and texts of schedules, plans and results.

`scene` says what a picture shows; `figure`, `page`, `terminal` and `notebook` draw it.
"""

from kosine._core.views import register

register(
    {
        "Drawn.save": "kosine._display.save:save",
        "Schedule.html": "kosine._display.notebook:schedule_html",
        "Schedule.svg": "kosine._display.notebook:svg",
        "Plan.text": "kosine._display.tables:plan_table",
        "Plan.scene": "kosine._display.scene:plan_scene",
        "Plan.plot": "kosine._display.figure:plot",
        "Plan.html": "kosine._display.notebook:plan_html",
        "Plan.svg": "kosine._display.notebook:svg",
        "Plan.page": "kosine._display.page:plan_page",
        "Comparison.text": "kosine._display.comparison_text:comparison_text",
        "Comparison.scene": "kosine._display.scene:comparison_scene",
        "Result.plot": "kosine._display.figure:plot",
        "Result.html": "kosine._display.notebook:result_html",
        "Comparison.page": "kosine._display.page:comparison_page",
        "Verdict.text": "kosine._display.verdict_text:verdict_text",
        "Verdict.scene": "kosine._display.scene:verdict_scene",
        "Verdict.page": "kosine._display.page:verdict_page",
        "Findings.text": "kosine._display.lint_text:findings_text",
        "Inference.text": "kosine._display.inference_text:inference_text",
        "Inference.scene": "kosine._display.scene:inference_scene",
        "Inference.page": "kosine._display.page:inference_page",
        "Rehearsal.text": "kosine._display.rehearsal_text:rehearsal_text",
        "LearningRateHistory.plot": "kosine._display.figure:plot_history",
    }
)
