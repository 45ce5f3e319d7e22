"""Train a PyTorch model in a loop of your own, stop in the middle, and go on from a checkpoint.

What it shows: the number of steps read from the loop; `PlanLR`, a torch scheduler; a head that learns ten times as fast
as the body; save and resume; a check of the rates that were used.

    pip install '.[torch]'
    python examples/pytorch_loop.py
"""

import tempfile
from pathlib import Path

import torch
from torch.utils.data import DataLoader, TensorDataset

import kosine as ks

EPOCHS, BATCH_SIZE, PEAK = 10, 32, 0.02

torch.manual_seed(0)
x = torch.rand(1_000, 2) * 2 - 1
y = (x[:, 1:] > torch.sin(3 * x[:, :1])).float()
loader = DataLoader(TensorDataset(x, y), batch_size=BATCH_SIZE, shuffle=True)

lr = ks.warmup_cosine(peak=PEAK, warmup="5%", warmup_start=PEAK / 100)
plan = lr.plan(epochs=EPOCHS, steps_per_epoch=len(loader))  # a step is an update; the loader knows how many
print("mistakes:", [str(finding) for finding in ks.lint(plan)] or "none")


def train(checkpoint: Path, epochs: range) -> list[float]:
    """Train some epochs, from the checkpoint if there is one; returns the body's rate in each update."""
    body, head = torch.nn.Linear(2, 32), torch.nn.Linear(32, 1)
    model = torch.nn.Sequential(body, torch.nn.ReLU(), head)
    groups = [{"params": body.parameters()}, {"params": head.parameters(), "lr": 10 * PEAK}]
    optimizer = torch.optim.SGD(groups, lr=PEAK, momentum=0.9)
    scheduler = ks.torch.PlanLR(optimizer, plan)  # the first group follows the plan, the others keep their ratio to it
    if checkpoint.exists():
        for part, state in zip((model, optimizer, scheduler), torch.load(checkpoint), strict=True):
            part.load_state_dict(state)
    used, losses = [], []
    for epoch in epochs:
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(inputs), targets)
            loss.backward()
            losses.append(loss.item())
            used.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()  # after `optimizer.step()`, once for each update
        body_rate, head_rate = scheduler.get_last_lr()  # those of the next update
        mean = sum(losses[-len(loader) :]) / len(loader)
        print(f"epoch {epoch + 1:2d}  loss {mean:.3f}  next rates: body {body_rate:.5f}, head {head_rate:.5f}")
    torch.save([model.state_dict(), optimizer.state_dict(), scheduler.state_dict()], checkpoint)
    return used


with tempfile.TemporaryDirectory() as folder:
    rates = train(Path(folder, "checkpoint.pt"), range(4))
    rates += train(Path(folder, "checkpoint.pt"), range(4, EPOCHS))  # a new model, optimizer and scheduler go on
print(ks.check(ks.Trace(range(len(rates)), rates), plan).sentence)
