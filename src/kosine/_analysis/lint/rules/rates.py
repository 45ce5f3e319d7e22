"""Checks of the rates: where they start, how high they are, and where they jump."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from kosine._analysis.lint.context import NEARLY, Case, Piece, falls, is_flat, last_row
from kosine._analysis.lint.rule import Example, Remark, rule
from kosine._analysis.lint.wording import and_others, rate, share
from kosine._core.timeline import Block, Group, PlannedPhase


@rule(
    "K004",
    "The first step has rate 0",
    severity="info where it is one step; warning where it is more",
    why="The rate at step 0 is the start of the warm-up. With 0 the first batch is read, and its gradients computed, "
    "for an update that changes nothing. It is common practice and costs one batch, so it is only worth knowing. "
    "Where the rate is held for longer, as in a warm-up that is counted in epochs, the whole of the first epoch "
    "is wasted.",
    fix="Start above 0: `warmup_start=` in a recipe, `start=` in a phase. nanoGPT starts at peak / (steps + 1).",
    example=Example('warmup_cosine(peak=1e-3, warmup="5ep")', {"epochs": 100, "steps_per_epoch": 500}),
    mended=Example(
        'warmup_cosine(peak=1e-3, warmup="5ep", warmup_start=1e-6)', {"epochs": 100, "steps_per_epoch": 500}
    ),
)
def first_step_at_0(case: Case) -> Iterator[Remark]:
    if not case.trains or not (steps := case.zeros_at_start):
        return
    row = case.row_at(steps - 1)
    if steps == row.steps == row.clock.span == 1 and row.end_lr > row.first_lr:  # K010 says to leave the phase out
        return
    start = rate(float(f"{case.rate_at(steps):.3g}"))
    if steps == 1:
        message = "The first update has rate 0 and changes nothing: one batch is wasted."
    else:
        part = f" ({share(steps, case.total)} of the run)" if case.total else ""
        message = f"The rate is 0 for the first {case.time(steps)}{part}: no weight changes before step {steps:,}."
    yield Remark(
        "info" if steps == 1 else "warning",
        message,
        f"Start above 0, for example at the rate of step {steps:,}: start={start}, in a recipe warmup_start={start}.",
        row,
    )


@rule(
    "K005",
    "The rate jumps up where nothing restarts",
    severity="warning",
    why="A jump up is what a restart is, and there it is meant. Anywhere else it is most often a value that was "
    "changed in one phase and forgotten in the next, and the sudden high rate can undo what was learned, or "
    "diverge. Not reported are: the start of a new cycle; a phase after a decay that goes back to no more than "
    "the highest rate before, which is a restart written by hand; a low rate that is held at the start, the "
    "constant warm-up of arXiv 1512.03385; and jumps of less than 1 % of the peak.",
    fix="Leave out the `start` of the later phase: it then begins where the last one ended.",
    example=Example(
        'Schedule(cosine("90ep", start=0.1, to=1e-4), hold(start=0.01))',
        {"epochs": 100, "steps_per_epoch": 500},
    ),
    mended=Example('Schedule(cosine("90ep", start=0.1, to=1e-4), hold())', {"epochs": 100, "steps_per_epoch": 500}),
)
def jump_up(case: Case) -> Iterator[Remark]:
    highest = 0.0
    jumps: list[tuple[float, Piece]] = []
    for before, piece in pairwise(case.pieces):
        highest = max(highest, before.first_lr, before.end_lr)
        leaves_group = isinstance(before.block, Group) and before.block is not piece.block
        end = last_row(before.block).end_lr if leaves_group else before.end_lr
        step, start = piece.row.first_step, piece.row.first_lr  # a section may skip the beginning of a cycle
        if (start - end) * NEARLY <= case.peak or start <= end:
            continue
        shown = case.rate_at(step - 1) if step else end  # a short decay does not come to its end
        if (case.rate_at(step) - shown) * NEARLY <= case.peak:
            continue
        if not _restarts(before, piece, highest) and not _constant_warmup(case, before):
            jumps.append((shown, piece))
    if jumps:
        before_it, piece = jumps[0]
        row = piece.row
        first = case.rate_at(row.first_step)
        yield Remark(
            "warning",
            f"The rate jumps from {rate(before_it)} up to {rate(first)} at step {row.first_step:,}, where the "
            f"{row.name} begins, and this is no restart.{and_others(jumps, 'jump')}",
            f"Let the phase before end at {rate(first)}, or leave out the `start` of the {row.name}, and it begins "
            "where that one ends.",
            row,
        )


def _restarts(before: Piece, piece: Piece, highest: float) -> bool:
    """Whether a jump after a decay begins something like what was there before."""
    return before.falls and piece.first_lr <= highest and (piece.moves or piece.first_lr == highest)


def _constant_warmup(case: Case, before: Piece) -> bool:
    """Whether what comes before a jump is a low rate at the start of the run."""
    block = before.block
    if before.moves or not isinstance(block, PlannedPhase) or block.first_step != 0:
        return False
    return case.total is None or block.stop <= case.longest_warmup * case.total


@rule(
    "K006",
    "The warm-up takes a large share of the run",
    severity="warning",
    why="A warm-up is there to get through the first updates, while the statistics of the optimizer settle. Published "
    "runs spend 0.1 to 10 % of their steps on it (GPT-3: 0.1 %, Pythia: 1 %, ConvNeXt: 7 %), and one-cycle "
    "schedules 30 %. What is more is taken from the time at high rates, and from the decay. Often a number of "
    "steps was kept while the run got shorter. The share is an argument: `longest_warmup`, `--longest-warmup`.",
    fix='Make the warm-up shorter, or write it as a share of the run, such as `"5%"`.',
    example=Example(
        "warmup_cosine(peak=1e-3, warmup=10000, warmup_start=1e-6)", {"epochs": 40, "steps_per_epoch": 500}
    ),
    mended=Example('warmup_cosine(peak=1e-3, warmup="5%", warmup_start=1e-6)', {"epochs": 40, "steps_per_epoch": 500}),
)
def long_warmup(case: Case) -> Iterator[Remark]:
    if case.total is None or not case.warmup:
        return
    row = case.warmup[-1]
    if row.stop >= case.total or row is case.plan.blocks[-1]:
        return
    if row.stop - 0.5 > case.longest_warmup * case.total:
        longest = int(case.longest_warmup * case.total)
        enough = -(-1000 * row.stop // case.total)
        yield Remark(
            "warning",
            f"The warm-up lasts {case.time(row.stop)}, which is {share(row.stop, case.total)} of the run of "
            f"{case.time(case.total)}.",
            f'Make it shorter, such as "5%" of the run; at most {longest:,} steps are {share(longest, case.total)}. '
            f"Or allow more: longest_warmup={enough / 1000:g}, on the command line --longest-warmup {enough / 10:g}%.",
            row,
        )


@rule(
    "K007",
    "Nothing decays",
    severity="info where the rate never falls; warning where after a fall it rises again until the end",
    why="The rate never falls, or it goes up again after it has fallen, and the run ends above half the peak. For "
    "fine-tuning, debugging and averaged weights a constant rate is a choice; for training to a low loss it is an "
    "expensive one: in arXiv 2501.18965 a model of 124M parameters ends at a validation loss of 3.14 without a "
    "cooldown, and at 2.96 with one over the last 20 % of the same 50,000 steps. A schedule that only "
    "rises is taken for a learning-rate range test, and is not reported.",
    fix='Add a cooldown at the end, such as `one_minus_sqrt("20%", to=0.0)`: the recipe `wsd` does.',
    example=Example("Schedule(linear(500, start=1e-6, to=1e-3), hold())", {"total_steps": 10_000}),
    mended=Example("wsd(peak=1e-3, warmup=500, warmup_start=1e-6)", {"total_steps": 10_000}),
)
def no_decay(case: Case) -> Iterator[Remark]:
    if any(map(_goes_down, case.later)) or not case.trains:
        return
    if case.decays:
        yield from _rises_to_the_end(case)
        return
    rising_to_the_end = case.pieces[-1].rises and case.plan.after.first_step >= (case.total or 0)
    if rising_to_the_end or (case.warmup and case.total is not None and case.warmup[-1].stop > case.total):
        return
    until = "for ever" if case.total is None else "to the end of the run"
    first = next(piece for piece in case.pieces if max(piece.first_lr, piece.end_lr) == case.peak)
    since = first.row.stop if first.rises else first.row.first_step
    fix = 'End with a cooldown, such as one_minus_sqrt("20%", to=0.0), unless a constant rate is what you want.'
    block = case.last
    if isinstance(block, Group) and _goes_down(block):
        fix = f"Make the cycles shorter: the second begins only after {case.time(block.boundary(1))}."
    yield Remark(
        "info",
        f"Nothing decays: the rate stays at its peak of {rate(case.peak)} from step {since:,} {until}.",
        fix,
        first.row,
    )


def _rises_to_the_end(case: Case) -> Iterator[Remark]:
    """After something has fallen: what comes last, but for holds, is a phase that rises."""
    block = next((block for block in reversed(case.blocks) if not is_flat(block)), None)
    if case.total is None or not isinstance(block, PlannedPhase) or block.end_lr <= block.first_lr:
        return
    last = case.rate_at(case.total - 1)
    if last * 2 > case.highest:
        yield Remark(
            "warning",
            f"Nothing decays at the end: the {block.name} from step {block.first_step:,} on goes up again, and the "
            f"last update of the run has the rate {rate(last)}, {100 * last / case.highest:.3g} % of the highest.",
            'End with a cooldown, such as one_minus_sqrt("20%", to=0.0), or leave out the '
            f"{block.name} from step {block.first_step:,} on.",
            block,
        )


def _goes_down(block: Block) -> bool:
    if isinstance(block, PlannedPhase):
        return block.end_lr < block.first_lr
    return block.part.shrinks or len(set(block.values)) > 1


@rule(
    "K008",
    "The floor is above half the peak",
    severity="warning",
    why="A decay that ends above half its peak hardly is one: published floors are 0 to 10 % of the peak, and the "
    "last part of the way down brings the most. In arXiv 2501.18965 a cosine from 1e-3 down to 1e-7 ends at a "
    "lower loss than one down to a tenth of the peak (2.9635 and 2.9819). As a rule the floor was copied with one "
    "digit too few in its exponent, or the peak was lowered and the floor was not. Curves that have no end of "
    "their own, and steps down by a factor, are not reported.",
    fix="Lower the floor: 0, or a tenth of the peak.",
    example=Example("warmup_cosine(peak=1e-4, floor=6e-5)", {"total_steps": 10_000}),
    mended=Example("warmup_cosine(peak=1e-4, floor=6e-6)", {"total_steps": 10_000}),
)
def high_floor(case: Case) -> Iterator[Remark]:
    if not case.decays or any(map(_has_no_floor, case.blocks)) or any(map(_goes_down, case.later)):
        return
    pieces = case.pieces
    first = next(i for i, piece in enumerate(pieces) if max(piece.first_lr, piece.end_lr) == case.peak)
    after = pieces[first:]
    lowest = min(after, key=lambda piece: piece.end_lr)
    floor = min(lowest.end_lr, min((piece.first_lr for piece in after[1:]), default=lowest.end_lr))
    floor = min([floor, *(min(block.values) for block in case.blocks if isinstance(block, Group) and falls(block))])
    if floor * 2 > case.peak and floor < case.peak:
        yield Remark(
            "warning",
            f"The rate goes down to {rate(floor)} only, {100 * floor / case.peak:.3g} % of its peak {rate(case.peak)}.",
            f"Lower the floor: 0, or a tenth of the peak, {rate(float(f'{case.peak / 10:.3g}'))}.",
            lowest.row,
        )


def _has_no_floor(block: Block) -> bool:
    """Whether the length of the run decides how far it falls."""
    if isinstance(block, PlannedPhase):
        return not block.curve.needs_span and not is_flat(block)
    return block.part.shrinks
