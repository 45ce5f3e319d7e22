"""Train from a Hydra config in which the scheduler is a `_target_` and its plan a text.

What it shows: Hydra builds a PlanLR from a text and the number of updates. The command line can replace both, with
quotes for Hydra inside quotes for the shell: 'scheduler.plan="wsd(peak=0.1, warmup=4)"' steps=80

    pip install '.[torch]' hydra-core
    python examples/hydra_config.py            # reads examples/hydra_config.yaml
"""

import hydra
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

import kosine as ks


@hydra.main(version_base=None, config_path=".", config_name="hydra_config")
def main(config: DictConfig) -> None:
    model = torch.nn.Linear(1, 1)
    optimizer = instantiate(config.optimizer, params=model.parameters())
    scheduler = instantiate(config.scheduler, optimizer=optimizer)
    used = []
    for _ in range(config.steps):
        x = torch.rand(8, 1)
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x), 3 * x).backward()
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    print(scheduler.plan)
    print("rates of the updates:", [round(rate, 5) for rate in used[::8]])
    print(ks.check(ks.Trace(range(len(used)), used), scheduler.plan).sentence)


main()
