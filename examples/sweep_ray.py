"""Search for the best cosine annealing with restarts on scikit-learn's digits, with Ray Tune, on one machine or many.

What it shows: a space of schedules (`ks.space`) as Ray's (`space.ray`), and the schedule that a worker makes of its
values; runs that report where a cycle ends, so that ASHA compares rates near 0 with rates near 0; the best schedule as
a text. On a cluster it runs unchanged: `ray.init()` joins the one that RAY_ADDRESS names, as it does in a job that
`ray job submit` starts, and the runs spread over its machines. Without it the cores of this machine share the runs.

    pip install '.[ray,torch]' scikit-learn
    python examples/sweep_ray.py
"""

import ray
import torch
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.basic_variant import BasicVariantGenerator
from sklearn.datasets import load_digits

import kosine as ks

RUNS, EPOCHS, STEPS = 12, 14, 20  # cycles of 2, 4 and 8 epochs of 20 steps
SPACE = ks.space('sgdr(peak=log(1e-3, 3.0), period="2ep", stretch=2, shrink=uniform(0.3, 1.0))')


def train(config: dict[str, float]) -> None:
    """Train along a schedule, in a worker; Ray's iterations are its cycles."""
    plan = SPACE(**config).plan(epochs=EPOCHS, steps_per_epoch=STEPS)
    digits = load_digits()
    x, y = torch.tensor(digits.data / 16).float(), torch.tensor(digits.target)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=plan(0), momentum=0.9)
    scheduler = ks.torch.PlanLR(optimizer, plan)
    loss_of = torch.nn.functional.cross_entropy
    for _ in range(EPOCHS):
        for batch in torch.randperm(1_280).chunk(STEPS):
            optimizer.zero_grad()
            loss_of(model(x[batch]), y[batch]).backward()
            optimizer.step()
            scheduler.step()
            if scheduler.cycle_ended:
                loss = loss_of(model(x[1_280:]), y[1_280:])  # the digits of other writers
                tune.report({"loss": loss.item(), "steps": scheduler.last_epoch})


if __name__ == "__main__":
    ray.init(log_to_driver=False)
    asha = ASHAScheduler(metric="loss", mode="min", grace_period=1, reduction_factor=2)
    search = BasicVariantGenerator(random_state=0)  # the seed: the same one tries the same schedules
    settings = tune.TuneConfig(num_samples=RUNS, scheduler=asha, search_alg=search, reuse_actors=True)
    results = tune.Tuner(train, param_space=SPACE.ray(), tune_config=settings).fit()
    for result in results:
        print(f"loss {result.metrics['loss']:.3f} after {result.metrics['steps']} steps: {SPACE(**result.config)}")
    best = results.get_best_result("loss", "min")
    print(f"\nThe best: test loss {best.metrics['loss']:.3f} with\n{SPACE(**best.config)}")
