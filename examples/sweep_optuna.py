"""Search for the best cosine annealing with restarts on scikit-learn's digits, with Optuna.

What it shows: a space of schedules (`ks.space`) and the schedule of a trial (`space.suggest`); losses that are compared
where a cycle ends (`plan.cycle_ends`), as there all rates are near 0; the best schedule as a text.

    pip install '.[optuna,torch]' scikit-learn
    python examples/sweep_optuna.py
"""

import math

import optuna
import torch
from sklearn.datasets import load_digits

import kosine as ks

TRIALS, EPOCHS, STEPS = 16, 14, 20  # cycles of 2, 4 and 8 epochs of 20 steps
SPACE = ks.space('sgdr(peak=log(1e-3, 3.0), period="2ep", stretch=2, shrink=uniform(0.3, 1.0))')

digits = load_digits()
x, y = torch.tensor(digits.data / 16).float(), torch.tensor(digits.target)
test_x, test_y = x[1_280:], y[1_280:]  # the digits of other writers


def objective(trial: optuna.Trial) -> float:
    """Train along the schedule of a trial; the loss on data that was not trained on."""
    lr = SPACE.suggest(trial)
    plan = lr.plan(epochs=EPOCHS, steps_per_epoch=STEPS)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=plan(0), momentum=0.9)
    scheduler = ks.torch.PlanLR(optimizer, plan)
    loss_of, loss, cycle = torch.nn.functional.cross_entropy, math.inf, 0
    for step in range(plan.total_steps):
        if step % STEPS == 0:
            batches = torch.randperm(1_280).chunk(STEPS)
        batch = batches[step % STEPS]
        optimizer.zero_grad()
        loss_of(model(x[batch]), y[batch]).backward()
        optimizer.step()
        scheduler.step()
        if step in plan.cycle_ends:
            cycle += 1
            loss = loss_of(model(test_x), test_y).item()
            trial.report(loss, cycle)
            if trial.should_prune() or not math.isfinite(loss):
                raise optuna.TrialPruned
    return loss


optuna.logging.set_verbosity(optuna.logging.WARNING)
pruner = optuna.pruners.MedianPruner(n_startup_trials=4)
study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0), pruner=pruner)
study.optimize(objective, n_trials=TRIALS)
for trial in study.trials:
    losses = "  ".join(f"{loss:.3f}" for loss in trial.intermediate_values.values())
    print(f"{trial.number:2d}  peak {trial.params['peak']:.4f}  shrink {trial.params['shrink']:.2f}  {losses}")
print(f"\nThe best: test loss {study.best_value:.3f} with\n{SPACE(study.best_params)}")
