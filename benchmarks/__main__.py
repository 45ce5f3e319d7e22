"""`python -m benchmarks`: all figures, one after another; about 15 minutes on two cores."""

from benchmarks import accuracy, cost, graph_accuracy, restarts, train_step

for benchmark in (cost, train_step, accuracy, graph_accuracy, restarts):
    print(f"--- {benchmark.__name__} ---", flush=True)
    benchmark.main()
    print(flush=True)
