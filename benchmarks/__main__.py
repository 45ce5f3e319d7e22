"""`python -m benchmarks`: all figures, one after another; about 20 minutes on two cores."""

from benchmarks import (
    accuracy,
    command_line,
    cost,
    frameworks,
    graph_accuracy,
    jax_schedule,
    restarts,
    torch_curve,
    torch_step,
    train_step,
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
):
    print(f"--- {benchmark.__name__} ---", flush=True)
    benchmark.main()
    print(flush=True)
