"""The callback that trains along a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from kosine._analysis.lint.lint import warn_of
from kosine._core.arguments import read_flag
from kosine._core.run import read_run
from kosine._core.schedule import Plan, Schedule
from kosine.errors import ArgumentError, Described, PlanError, TrainingError
from kosine.keras._driver import Followed
from kosine.keras._history import LearningRateHistory
from kosine.keras._internals import attributes_of, initial_epoch, level_of_the_user
from kosine.keras._parts import by_pattern, in_ratio
from kosine.keras._plan_callback import PlanCallback
from kosine.keras._start import EVERY_PART, in_one_line, read_schedule, read_schedules, what_is_odd_about_going_on


class LearningRateCallback(PlanCallback):
    """Trains a Keras model along a schedule, batch by batch, at no cost: the schedule runs inside the train step.

    Batch b of epoch e uses the learning rate of step (e - e0) * steps_per_epoch + b. Here e0 is 0, or with
    `origin="fit"` the `initial_epoch` of this `fit`. A run that BackupAndRestore restores goes on where it stopped.
    Steps are batches, also under gradient accumulation. The rate of an epoch's last batch is in its logs as
    `learning_rate`, and that of each batch in the logs of batches where another callback reads them.

    The optimizer is borrowed. Its `learning_rate` stays the variable that it was, and holds the rate of the last
    update, during the run and afterwards. Files that are written meanwhile need no kosine to load. An optimizer that
    was built with a schedule of its own follows this one during `fit`, and its own again afterwards.

    The parts of a `MultiOptimizer` keep the ratio of their constant rates to the default part's, whose rate is the
    plan's. `layer_rates` makes such an optimizer.

    Args:
        schedule: a `Schedule`, planned for the epochs and steps that `fit` trains, or a `Plan` of your own. A dict of
            these gives each part its own: the pattern that matches the path of a variable as a whole counts, the
            first one of several, as in `{"backbone/.*": a, ".*": b}`.
        momentum: a schedule or plan of the momentum: that of SGD, RMSprop and Muon, or Adam's beta_1.
        weight_decay: a schedule or plan of the weight decay, which each update multiplies with its learning rate.
        origin: where step 0 is: "run": epoch 0, also where `fit` starts at an `initial_epoch`; "fit": the first batch
            of this `fit`, as for a second phase of training with a schedule of its own. By default "run", with a
            warning where an optimizer that has done no update starts in the middle of the schedule.
        steps_per_epoch: training batches in an epoch, for data that does not know its length.
        lint: whether to say at the start what the schedule does, where `fit` prints, and to warn of what
            `kosine.lint` finds in the plan: once for a plan, when training starts at step 0.

    Attributes:
        plan: the plan that is followed, from the start of training on; of several the first.
        history: the steps and the planned rates of every batch trained in this run (`LearningRateHistory`); a `fit`
            that starts at step 0 begins a new one. On JAX, Keras reports batches late, so it may lag during an epoch.

    Raises:
        ArgumentTypeError: neither a schedule nor a plan, or a `steps_per_epoch` that is not an integer.
        ArgumentError: another `origin`, or a dict without patterns.
        TrainingError: at the start of `fit`: steps per epoch that are needed and unknown or that disagree, another
            callback that sets the learning rate, parts without a ratio or a pattern, or an optimizer without momentum.
        PlanError: at the start of `fit`: a schedule that does not fit the run, or a run of more steps than the backend
            counts: 2**31 - 1 on JAX and PyTorch.

    Warns:
        TrainingWarning: at the start of `fit`: the plan wastes training, is cut to fit the run, jumps from where the
            optimizer stopped, or leaves other optimizers of the model alone. At the end of an epoch: its batches or
            updates are not those that were planned for.

    Example:
        >>> import keras, numpy as np, kosine as ks
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> callback = ks.keras.LearningRateCallback(ks.warmup_cosine(peak=0.1, warmup="1ep"), lint=False)
        >>> history = model.fit(
        ...     np.zeros((8, 2)), np.zeros((8, 1)), batch_size=2, epochs=2, verbose=0, callbacks=[callback]
        ... )
        >>> callback.history.rates.round(3).tolist()
        [0.0, 0.025, 0.05, 0.075, 0.1, 0.085, 0.05, 0.015]
    """

    def __init__(
        self,
        schedule: Schedule | Plan | Mapping[str, Schedule | Plan],
        *,
        momentum: Schedule | Plan | None = None,
        weight_decay: Schedule | Plan | None = None,
        origin: Literal["run", "fit"] | None = None,
        steps_per_epoch: int | None = None,
        lint: bool = True,
    ) -> None:
        super().__init__()
        self._schedules = read_schedules(schedule)
        self._momentum = None if momentum is None else read_schedule(momentum, "momentum")
        self._weight_decay = None if weight_decay is None else read_schedule(weight_decay, "weight_decay")
        if origin not in (None, "run", "fit"):
            raise ArgumentError(argument="origin", rule='"run" or "fit"', received=origin)
        self._origin = origin
        self._given_steps = read_run(steps_per_epoch=steps_per_epoch).steps_per_epoch
        self._lint = read_flag(lint, "lint")
        self._linted: list[Plan] = []
        self._plans: dict[str, Plan] = {}
        self._others: dict[str, Plan] = {}
        self._first_epoch = 0
        self._epochs: int | None = None

    # --- the plans ---

    def make_plan(self) -> Plan:
        params: dict[str, Any] = self.params or {}
        self._first_epoch = initial_epoch(self._model) if self._origin == "fit" else 0
        self._epochs = None if params.get("epochs") is None else params["epochs"] - self._first_epoch
        given = {"momentum": self._momentum, "weight_decay": self._weight_decay}
        others = {name: schedule for name, schedule in given.items() if schedule is not None}
        self._steps_per_epoch = self._count_steps([*self._schedules.values(), *others.values()], params.get("steps"))
        self._plans = {pattern: self._planned(schedule) for pattern, schedule in self._schedules.items()}
        self._others = {name: self._planned(schedule) for name, schedule in others.items()}
        return next(iter(self._plans.values()))

    @property
    def patterns(self) -> list[str]:
        return [pattern for pattern in self._schedules if pattern != EVERY_PART]

    def follow(self, model: Any) -> list[Followed]:
        assert self.plan is not None
        parts = by_pattern(model, self._plans) if self.patterns else in_ratio(model, self.plan, self._rates)
        if "momentum" in self._others:
            _refuse_without_momentum([optimizer for optimizer, _ in parts])
        return [Followed(optimizer, plan, self._others_of(optimizer)) for optimizer, plan in parts]

    def _others_of(self, optimizer: Any) -> dict[str, Plan]:
        return {name: plan for value, plan in self._others.items() for name in attributes_of(optimizer, value)}

    def _count_steps(self, schedules: list[Schedule | Plan], known: int | None) -> int | None:
        """The steps of an epoch, as everybody who knows them says."""
        planned = [("the plan", each.run.steps_per_epoch) for each in schedules if isinstance(each, Plan)]
        counts = [("fit", known), ("LearningRateCallback", self._given_steps), *planned]
        given = dict.fromkeys((who, count) for who, count in counts if count is not None)
        if len({count for _, count in given}) > 1:
            said = ", ".join(f"{who}: {count}" for who, count in given)
            raise TrainingError(
                "The numbers of steps per epoch disagree.",
                received=Described(said),
                fix="A step of Keras is a batch of all devices, also where gradients are accumulated.",
            )
        return next((count for _, count in given), None)

    def _planned(self, schedule: Schedule | Plan) -> Plan:
        if isinstance(schedule, Plan):
            return schedule
        try:
            if self._steps_per_epoch is None:
                return schedule.plan()
            return schedule.plan(epochs=self._epochs, steps_per_epoch=self._steps_per_epoch, clip=True)
        except PlanError as error:
            if error.missing in ("samples_per_step", "tokens_per_step", "seconds_per_step"):
                raise TrainingError(
                    "`fit` does not say how many samples or tokens a step has, or how long it takes.",
                    received={error.missing: None},
                    fix="Pass a plan to LearningRateCallback: "
                    f"schedule.plan(epochs=..., steps_per_epoch=..., {error.missing}=...).",
                ) from error
            if self._steps_per_epoch is not None:
                raise
            raise TrainingError(
                "`fit` does not know how many steps an epoch of this data has.",
                received={"steps_per_epoch": None},
                fix="Pass `steps_per_epoch` to LearningRateCallback.",
            ) from error

    def epoch_step(self, epoch: int) -> int:
        if self._steps_per_epoch is not None:
            first = (epoch - self._first_epoch) * self._steps_per_epoch
        elif epoch == self._first_epoch:
            first = 0
        elif self._next is not None and self._next[0] == epoch:
            first = self._next[1]
        else:
            raise TrainingError(
                "A run that starts in the middle needs the number of steps per epoch.",
                received=Described(f"steps_per_epoch=None, and epoch {epoch} as the first"),
                fix="Pass `steps_per_epoch` to LearningRateCallback.",
            )
        if first == 0 or self._history.plan != self.plan:
            self._history = LearningRateHistory(self.plan)
        return first

    # --- speaking up before the first batch ---

    def check_start(self, epoch: int) -> None:
        assert self.plan is not None
        plans = [*self._plans.values(), *self._others.values()]
        clipped = dict.fromkeys(sentence for plan in plans for sentence in plan.clipped)
        if clipped:
            self._warn("clipped", f"The schedule is cut to fit the run: {' '.join(clipped)}")
        if self._first_step:
            followed = [(each.optimizer, each.rates) for each in self.follow(self.model)]
            message = what_is_odd_about_going_on(self.plan, self._first_step, followed, epoch)
            if message and self._origin is None:
                self._warn("start", message)
        if self._lint and not self._first_step and plans != self._linted:  # not where a run goes on
            self._linted = plans
            self._say()

    def _say(self) -> None:
        """One line on what the run will do, and what is odd about it."""
        assert self.plan is not None
        if (self.params or {}).get("verbose"):
            print(f"kosine: {in_one_line(self.plan)}")
        given = [schedule for schedule in self._schedules.values() if isinstance(schedule, Plan)]
        for plan in given:
            self._compare(plan)
        ignored = ["K003"] if given else []  # `_compare` has warned of that
        whole = [plan for plan in self._plans.values() if not plan.clipped]
        if whole:
            warn_of(whole, "LearningRateCallback(..., lint=False)", level_of_the_user(), ignore=ignored)

    def _compare(self, plan: Plan) -> None:
        """Warn of a plan that is shorter or longer than the run that it is given to."""
        if self._epochs is None or self._steps_per_epoch is None or plan.total_steps is None:
            return
        run, stop = self._epochs * self._steps_per_epoch, plan.after.first_step
        if stop < run:
            self._warn(
                "short",
                f"The plan ends after {stop:,} steps, but `fit` trains {run:,}: the rest is trained with the learning "
                f"rate {plan.after.end_lr:.6g}. Plan for {run:,} steps, or pass the schedule instead of a plan.",
            )
        elif plan.total_steps > run:
            self._warn(
                "long",
                f"The plan has {plan.total_steps:,} steps, but `fit` trains {run:,}: it stops at the learning rate "
                f"{plan(run - 1):.6g}. Plan for {run:,} steps, or pass the schedule instead of a plan; where later "
                "calls of `fit` train the rest, pass lint=False.",
            )


def _refuse_without_momentum(optimizers: list[Any]) -> None:
    if not any(attributes_of(optimizer, "momentum") for optimizer in optimizers):
        raise TrainingError(
            "A momentum plan needs an optimizer with momentum.",
            received=Described(", ".join(type(optimizer).__name__ for optimizer in optimizers)),
            fix="Build SGD with a momentum above 0, such as SGD(0.1, momentum=0.9), or use Adam, whose beta_1 it is.",
        )
