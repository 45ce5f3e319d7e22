"""Pictures, pages, tables and texts of schedules, plans and results.

`scene` says what a picture shows; `figure`, `page`, `terminal` and `notebook` draw it.
"""

from kosine._core.views import register

register(
    {
        "Drawn.terminal": "kosine._display.terminal:draw_rates",
        "Drawn.figure": "kosine._display.figure:figure_of",
        "Drawn.save": "kosine._display.save:save",
        "Drawn.draw": "kosine._display.terminal:draw_for",
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
        "Ranking.text": "kosine._display.ranking_view:ranking_text",
        "Ranking.scene": "kosine._display.ranking_view:ranking_scene",
        "Ranking.page": "kosine._display.page:ranking_page",
        "Verdict.text": "kosine._display.verdict_text:verdict_text",
        "Verdict.scene": "kosine._display.scene:verdict_scene",
        "Verdict.page": "kosine._display.page:verdict_page",
        "Findings.text": "kosine._display.lint_text:findings_text",
        "Inference.text": "kosine._display.inference_text:inference_text",
        "Inference.scene": "kosine._display.scene:inference_scene",
        "Inference.page": "kosine._display.page:inference_page",
        "RangeTest.text": "kosine._display.range_test_text:range_test_text",
        "RangeTest.scene": "kosine._display.loss_scene:range_test_scene",
        "RangeTest.plot": "kosine._display.loss_figure:plot",
        "RangeTest.figure": "kosine._display.loss_figure:figure_of",
        "RangeTest.terminal": "kosine._display.loss_terminal:draw",
        "RangeTest.page": "kosine._display.loss_page:page",
        "Rehearsal.text": "kosine._display.rehearsal_text:rehearsal_text",
        "Rehearsal.scene": "kosine._display.loss_scene:rehearsal_scene",
        "Rehearsal.plot": "kosine._display.loss_figure:plot",
        "Rehearsal.figure": "kosine._display.loss_figure:figure_of",
        "Rehearsal.terminal": "kosine._display.loss_terminal:draw",
        "Rehearsal.page": "kosine._display.loss_page:page",
        "Prediction.text": "kosine._display.prediction_text:prediction_text",
        "Prediction.scene": "kosine._display.prediction_view:prediction_scene",
        "Prediction.plot": "kosine._display.prediction_view:plot",
        "Prediction.figure": "kosine._display.prediction_view:figure_of",
        "Prediction.terminal": "kosine._display.prediction_view:draw",
        "Prediction.page": "kosine._display.prediction_view:page",
        "LearningRateHistory.plot": "kosine._display.figure:plot_history",
    }
)
