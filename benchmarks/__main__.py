"""`python -m benchmarks`: all figures, one after another; about 30 minutes on two cores."""

from benchmarks import (
    accuracy,
    command_line,
    cost,
    frameworks,
    graph_accuracy,
    inference_growth,
    jax_schedule,
    logs,
    recovered,
    restarts,
    torch_curve,
    torch_step,
    train_step,
    verdicts,
)

for benchmark in (
    cost,
    command_line,
    train_step,
    torch_step,
    torch_curve,
    jax_schedule,
    frameworks,
    accuracy,
    graph_accuracy,
    restarts,
    logs,
    inference_growth,
    verdicts,
    recovered,
):
    print(f"--- {benchmark.__name__} ---", flush=True)
    benchmark.main()
    print(flush=True)
