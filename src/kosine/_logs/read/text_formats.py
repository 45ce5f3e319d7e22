"""The formats of text logs that are known, each one small declaration; a new one is added here and nowhere else.

No pattern backtracks over a run of spaces or of anything else without a limit: lines may mean harm. Those of the
longest logs begin with letters, which are found fast, and look back from there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A log of lines of text, each of which may have a position and a rate.

    Attributes:
        name: what to call it.
        position: a pattern with the group `step`, or `epoch`, or `epoch` and `batch`, which is counted anew in each
            epoch; `since` is the first batch of a mean, `of` the batches of an epoch, `epochs` the epochs of the run
            and `total` its steps. A `step` with an `epoch` is counted anew where the numbers show it, and `of` is then
            the batches of an epoch, else the steps of the run.
        rate: a pattern with the group `rate`, one number or several with commas, and `name` where the log names it.
        marker: a text that every line with a rate has, to look at others only briefly.
        skipped: a pattern with one group: how many optimizer steps were skipped.
        since_start: whether it counts those since the start of the run, not since the last line.
        rate_name: what the log calls the rate.
        context: a pattern of earlier lines that say a part of the position, with groups as in `position`; `bar` is the
            step of a progress bar.
        context_marker: a text that all of these have.
        epoch: a pattern with the groups `epoch` and `epochs`, which may be anywhere in the line.
        epochs_from: the number of the first epoch; None if writers differ.
        epoch_decimals: the places after the point that epochs are rounded to, unless one has more; None: another way.
        epoch_digits: the digits that epochs are rounded to; None: another way.
        redrawn: whether a place is written again and again, and the last time counts.
        models: whether several models may write the same steps in turn.
        loss: a pattern as `rate` for the loss, where the log gives it another name, or has it in lines without the
            marker; else any loss in lines that have it is found.
    """

    name: str
    position: str
    rate: str
    marker: str = "lr"
    skipped: str = ""
    since_start: bool = False
    rate_name: str = "lr"
    context: str = ""
    context_marker: str = ""
    epoch: str = ""
    epochs_from: int | None = None
    epoch_decimals: int | None = None
    epoch_digits: int | None = None
    redrawn: bool = False
    models: bool = False
    loss: str = ""


_NUMBER = r"[-+.\w]+"
_FLOAT = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"  # without the full stop of a sentence
_BEFORE = r"[\"']?+\s*+(?:[=:]\s*+)?+(?:[\"'\[(]\s*+)?+"  # between a name and its number
_NO_SHARE_AHEAD = r"(?![\d,.]{1,20}%)"  # such as a progress bar has
_OF = r"(?:\s{0,8}/\s{0,8}(?P<of>\d+))?"
_BATCH = r"(?P<batch>\d+)/(?P<of>\d+)"
_EPOCHS = r"(?P<epoch>\d+)/(?P<epochs>\d+)"
_BAR = r"\| (?P<bar>\d+)/(?P<total>\d+) \[[^\]]{0,60}(?:it/s|s/it)"  # other units are not those of training
_ANY_EPOCH = rf"(?i)\bepochs?\b{_BEFORE}(?P<epoch>\d+)(?:\s{{0,4}}/\s{{0,4}}(?P<epochs>\d+))?"
_ANY_RATE = (
    r"(?i)\b(?:(?:train|current|cur)[_ ])?(?P<name>lr(?:_?\d{1,2})?|learning[ _-]?rate)\b"
    rf"{_BEFORE}(?P<rate>(?<=\[)[-+]?[.\d]{_NUMBER}(?:,\s?[-+]?[.\d]{_NUMBER}){{1,63}}(?=\])|[-+]?[.\d]{_NUMBER})"
)

ANY_TEXT = ("text with a step and a rate", "text with an epoch, a batch and a rate", "text with an epoch and a rate")
TEXT_BEHIND = "text with a rate in a line behind that of its step"

TEXT_FORMATS = (
    TextFormat(
        "Megatron-LM output",
        position=r"iteration\s+(?P<step>\d+)\s*/\s*(?P<total>\d+)",
        rate=rf"learning rate:(?<!decoupled learning rate:)\s*(?P<rate>{_NUMBER})",
        skipped=r"number of skipped iterations:\s*(\d+)",
        rate_name="learning rate",
        marker="learning rate:",
    ),
    TextFormat(
        "nanotron output",
        position=r"iteration: (?P<step>\d+) / (?P<total>\d+) \|",
        rate=rf"\| lr: (?P<rate>{_NUMBER})",
        marker="| lr: ",
    ),
    TextFormat(
        "DeepSpeed output",
        position=r"step=(?<!\wstep=)(?P<step>\d+)",
        rate=r"lr=\[(?<!\wlr=\[)(?P<rate>[^\[\]]*+)\]",
        skipped=r"skipped=(?<!\wskipped=)(\d+)",
        since_start=True,
        marker="lr=[",
        models=True,
    ),
    TextFormat(
        "llm.c main.log",
        position=r"^s:(?P<step>\d+) trl:",
        rate=rf"\blr:(?P<rate>{_NUMBER})",
        marker=" trl:",
        loss=rf" (?P<name>trl):(?P<rate>{_NUMBER})",
    ),
    TextFormat(
        "llm.c output",
        position=r"^step\s+(?P<step>\d+)/(?P<total>\d+) \|",
        rate=rf"\| lr (?P<rate>{_NUMBER})",
        marker="| lr ",
    ),
    TextFormat(
        "BasicSR log",
        position=r"\biter:\s*(?P<step>\d[\d,]*),",
        rate=r"\blr:\((?P<rate>[^()]*+)\)",
        marker="lr:(",
    ),
    TextFormat(
        "ESPnet log, batches",
        position=r"\b(?P<epoch>\d+)epoch:train:(?P<since>\d+)-(?P<batch>\d+)batch:",
        rate=rf"\b(?P<name>optim\d+_lr\d+)=(?P<rate>{_NUMBER})",
        marker="epoch:train:",
        epochs_from=1,
    ),
    TextFormat(
        "ESPnet log, epochs",
        position=r"\b(?P<epoch>\d+)epoch results: \[train\]",
        rate=rf"\b(?P<name>optim\d+_lr\d+)=(?P<rate>{_NUMBER})",
        marker="epoch results: [train]",
    ),
    TextFormat(
        "mmengine log",
        position=rf"\bEpoch\(train\)\s+\[(?P<epoch>\d+)\]\[\s*{_BATCH}\]",
        rate=rf"(?<!\w)lr: (?P<rate>{_NUMBER})",
        marker="Epoch(train)",
        epochs_from=1,
    ),
    TextFormat(
        "mmengine log",
        position=r"\bIter\(train\) \[\s*(?P<step>\d+)/\s*(?P<total>\d+)\]",
        rate=rf"(?<!\w)lr: (?P<rate>{_NUMBER})",
        marker="Iter(train)",
    ),
    TextFormat(
        "mmcv log",
        position=rf"\bEpoch \[(?P<epoch>\d+)\]\[\s*{_BATCH}\]\s{{1,8}}lr",
        rate=rf"(?<!\w)(?P<name>lr(?:_\w+)?): (?P<rate>{_NUMBER})",
        marker="Epoch [",
        epochs_from=1,
    ),
    TextFormat(
        "mmcv log",
        position=r"\bIter \[\s*(?P<step>\d+)/\s*(?P<total>\d+)\]\s{1,8}lr",
        rate=rf"(?<!\w)(?P<name>lr(?:_\w+)?): (?P<rate>{_NUMBER})",
        marker="Iter [",
    ),
    TextFormat(
        "PaddleDetection log",
        position=rf"\bEpoch: \[(?P<epoch>\d+)\] \[\s*{_BATCH}\] learning_rate:",
        rate=rf"\] learning_rate: (?P<rate>{_NUMBER})",
        rate_name="learning_rate",
        marker="] learning_rate: ",
        epochs_from=0,
    ),
    TextFormat(
        "PaddleClas log",
        position=rf"\[Train\]\[Epoch {_EPOCHS}\]\[Iter: {_BATCH}\]",
        rate=rf"\blr(?:\(\w+\))?: (?P<rate>{_NUMBER})",
        marker="[Train][Epoch ",
        epochs_from=1,
    ),
    TextFormat(
        "PaddleSeg log",
        position=r"\bepoch: \d+, iter: (?P<step>\d+)/(?P<total>\d+), loss:",
        rate=rf"\blr: (?P<rate>{_NUMBER})",
        marker=", iter: ",
    ),
    TextFormat(
        "PaddleOCR log",
        position=rf"\bepoch: \[{_EPOCHS}\], (?:global_step|iter): (?P<step>\d+), lr: ",
        rate=rf", lr: (?P<rate>{_NUMBER})",
        marker="epoch: [",
    ),
    TextFormat(
        "PaddleNLP log",
        position=r"\bglobal_step: (?P<step>\d+)",
        rate=rf"\blearning_rate: (?P<rate>{_NUMBER})",
        rate_name="learning_rate",
        marker="interval_runtime",
    ),
    TextFormat(
        "Swin log",
        position=rf"\bTrain: \[{_EPOCHS}\]\[{_BATCH}\]",
        rate=rf"\blr (?P<rate>{_NUMBER})",
        marker="Train: [",
        epochs_from=0,
    ),
    TextFormat(
        "timm output",
        position=rf"\bTrain: (?P<epoch>\d+)(?:/(?P<epochs>\d+))? \[\s*{_BATCH} \(",
        rate=rf"\bLR: (?P<rate>{_NUMBER})",
        rate_name="LR",
        marker="LR: ",
        epochs_from=0,
    ),
    TextFormat(
        "torchvision, DETR or MAE output",
        position=rf"\bEpoch: \[(?P<epoch>\d+)(?:/(?P<epochs>\d+))?\] {{1,2}}\[\s*{_BATCH}\]",
        rate=rf"\blr: (?P<rate>{_NUMBER})",
        marker="Epoch: [",
        epochs_from=0,
    ),
    TextFormat(
        "YOLOX log",
        position=rf"\bepoch: {_EPOCHS}, iter: {_BATCH}, ",
        rate=rf"\blr: (?P<rate>{_NUMBER})",
        marker=", iter: ",
        epochs_from=1,
    ),
    TextFormat(
        "icefall log",
        position=r"\bEpoch (?P<epoch>\d+), batch (?P<batch>\d+), loss\[",
        rate=rf"\blr: (?P<rate>{_NUMBER})",
        marker=", batch ",
        epochs_from=1,
    ),
    TextFormat(
        "WeNet log",
        position=r"\bTRAIN Batch (?P<epoch>\d+)/(?P<batch>\d+) ",
        rate=rf"\blr (?P<rate>{_NUMBER})",
        marker="TRAIN Batch ",
        epochs_from=0,
    ),
    TextFormat(
        "fairseq log",
        position=rf"\bnum_updates{_BEFORE}(?P<step>\d+)",
        rate=rf"\blr{_BEFORE}(?P<rate>{_NUMBER})",
        marker="num_updates",
    ),
    TextFormat(
        "Marian log",
        position=r"\bUp\. (?P<step>\d[\d,]*) :",
        rate=rf": L\.r\. (?P<rate>{_NUMBER})",
        loss=rf" : (?P<name>Cost) (?P<rate>{_NUMBER})",
        rate_name="L.r.",
        marker=": L.r. ",
    ),
    TextFormat(
        "detectron2 log",
        position=r"\beta: .{1,60}? iter: (?P<step>\d+) ",
        rate=rf"\blr: (?P<rate>{_NUMBER})",
        marker=" iter: ",
    ),
    TextFormat(
        "torchtitan log",
        position=r"\bstep:\s{1,8}(?P<step>\d+)\s{1,8}loss:",
        rate=rf"\blr:\s{{0,8}}(?P<rate>{_NUMBER})",
        marker="loss:",
    ),
    TextFormat(
        "OLMo output",
        position=r"^",
        rate=rf"\boptim/(?P<name>learning_rate_group\d+|LR \(group \d+\))=(?P<rate>{_NUMBER})",
        loss=rf"\b(?P<name>train/(?:CrossEntropyLoss|CE loss))=(?P<rate>{_NUMBER})",
        marker="optim/",
        context=r"\[step=(?P<step>\d[\d,]*)(?:/(?P<total>\d[\d,]*))?",
        context_marker="[step=",
    ),
    TextFormat(
        "Coqui TTS output",
        position=r"^",
        rate=rf"\| > (?P<name>current_lr\w*):\s{{0,8}}(?P<rate>{_NUMBER})",
        marker="| > current_lr",
        loss=rf"\| > (?P<name>loss):\s{{0,8}}(?P<rate>{_NUMBER})",
        context=r"--> STEP: \d+/\d+ -- GLOBAL_STEP: (?P<step>\d+)",
        context_marker="-- GLOBAL_STEP: ",
    ),
    TextFormat(  # transformers 4
        "Hugging Face Trainer output",
        position=rf"'epoch': (?P<epoch>{_FLOAT})",
        rate=rf"'(?P<name>learning_rate)': (?P<rate>{_NUMBER})",
        rate_name="learning_rate",
        marker="'learning_rate': ",
        loss=rf"'(?P<name>\w{{0,60}}loss)': (?P<rate>{_NUMBER})",
        context=_BAR,
        context_marker="| ",
        epochs_from=0,
        epoch_decimals=2,
    ),
    TextFormat(  # transformers 5
        "Hugging Face Trainer output",
        position=rf"'epoch': '(?P<epoch>{_FLOAT})'",
        rate=rf"'(?P<name>learning_rate)': '(?P<rate>{_NUMBER})'",
        rate_name="learning_rate",
        marker="'learning_rate': '",
        loss=rf"'(?P<name>\w{{0,60}}loss)': '(?P<rate>{_NUMBER})'",
        context=_BAR,
        context_marker="| ",
        epochs_from=0,
        epoch_digits=4,
    ),
    TextFormat(
        "Keras LearningRateScheduler output",
        position=r"\bEpoch (?P<epoch>\d+): LearningRateScheduler (?:sett|reduc)ing learning rate to",
        rate=rf"learning rate to (?P<rate>{_FLOAT})",
        rate_name="learning_rate",
        marker=": LearningRateScheduler ",
        epochs_from=1,
    ),
    TextFormat(
        "Keras output",
        position=r"^\s{0,20}(?:\d+/(?P<of>\d+) (?=.{1,400}? \d+m?s/(?:step|epoch))|\d+/\d+ |- \d+s )",
        rate=rf" - (?P<name>lr|learning_rate): (?P<rate>{_FLOAT})",
        marker=" - l",
        context=rf"^\s{{0,20}}Epoch {_EPOCHS}\s*$",
        context_marker="Epoch ",
        epochs_from=1,
        redrawn=True,
    ),
    TextFormat(
        "progress bar of each epoch",
        position=r"\b[Ee]poch:? \[?(?P<epoch>\d+)(?:/(?P<epochs>\d+))?\]?:?\s{1,8}"
        rf"\d+%\|[^|]{{0,400}}\|\s{{0,20}}{_BATCH} \[",
        rate=rf"[\[, ](?P<name>(?:train_)?lr[-\w/.]{{0,60}})[=:]\s?(?P<rate>{_FLOAT})",
        marker="%|",
        redrawn=True,
    ),
    TextFormat(  # as diffusers' scripts print it
        "progress bar of the run",
        position=r"^(?:[Ss]teps?:)?\s{0,20}\d+%\|[^|]{0,400}\|\s{0,20}(?P<step>\d+)/(?P<total>\d+) \[",
        rate=rf"[\[, ](?P<name>(?:train_)?lr[-\w/.]{{0,60}})[=:]\s?(?P<rate>{_FLOAT})",
        marker="%|",
        redrawn=True,
    ),
    TextFormat(  # the rate of the next epoch, and epochs from 1: the number is that of the next one, from 0
        "Informer or Time-Series-Library output",
        position=r"^",
        rate=rf"^Updating learning rate to (?P<rate>{_FLOAT})",
        rate_name="learning rate",
        marker="Updating learning rate to ",
        context=r"^Epoch: (?P<epoch>\d+), Steps: (?P<of>\d+) \|",
        context_marker=", Steps: ",
        epochs_from=0,
    ),
    TextFormat(
        "darknet output",
        position=r"^\s{0,20}(?P<step>\d+): ",
        rate=rf", (?P<rate>{_FLOAT}) rate,",
        loss=rf", (?P<rate>{_FLOAT}) (?P<name>avg loss),",
        rate_name="rate",
        marker=" rate, ",
    ),
    TextFormat(
        ANY_TEXT[0],
        position=r"(?i)\b(?:global_?step|current_steps|num_updates|acc_iter|steps?|iteration|iters?|batch_idx)\b"
        rf"{_BEFORE}{_NO_SHARE_AHEAD}(?P<step>\d[\d,]*){_OF}",
        rate=_ANY_RATE,
        marker="",
        epoch=_ANY_EPOCH,
    ),
    TextFormat(
        ANY_TEXT[1],
        position=rf"(?i)\bepochs?\b{_BEFORE}(?P<epoch>\d+)(?:\s{{0,4}}/\s{{0,4}}(?P<epochs>\d+))?(?![\d/.])"
        r"[^\w.]{0,20}(?:(?:batch|it|train(?:ing)?)[\s:=\[#]{1,6})?"
        r"(?P<step>\d+)\s{0,8}/\s{0,8}(?P<of>\d+)(?![\d/:])",
        rate=_ANY_RATE,
        marker="",
    ),
    TextFormat(  # as SwAV prints it
        ANY_TEXT[1],
        position=rf"(?i)\bepochs?\b{_BEFORE}(?P<epoch>\d+)\]\s{{0,8}}\[\s{{0,8}}(?P<step>\d+)\]",
        rate=_ANY_RATE,
        marker="",
    ),
    TextFormat(
        ANY_TEXT[1],
        position=rf"(?i)\bbatch\b{_BEFORE}(?P<step>\d+){_OF}",
        rate=_ANY_RATE,
        marker="",
        epoch=_ANY_EPOCH,
    ),
    TextFormat(
        ANY_TEXT[2],
        position=rf"(?i)\bepoch\b{_BEFORE}{_NO_SHARE_AHEAD}(?P<epoch>\d+(?:\.\d+)?)",
        rate=_ANY_RATE,
        marker="",
    ),
)
"""Tried in this order on every line until one fits; the format with the most rows is the log's."""

ANY_LOSS = (
    rf"[lL][oO][sS][sS](?P<tail>[\w/-]{{0,30}}){_BEFORE}"
    rf"(?P<rate>{_FLOAT}|[-+]?(?i:nan|inf(?:inity)?)\b)"
)
"""A loss of any name, which begins before it."""

LOSS_FORMATS = (
    TextFormat(
        "Megatron-LM output, validation",
        position=r"\bvalidation loss at iteration (?P<step>\d+) \|",
        rate=rf"\blm loss value: (?P<rate>{_NUMBER})",
        rate_name="validation loss",
        marker="validation loss at iteration",
    ),
    TextFormat(
        "llm.c main.log, validation",
        position=r"^s:(?P<step>\d+) tel:",
        rate=rf" (?P<name>tel):(?P<rate>{_NUMBER})",
        marker=" tel:",
    ),
    TextFormat(
        "Marian log, validation",
        position=r"\[valid\] .{1,40}\bUp\. (?P<step>\d[\d,]*) :",
        rate=rf" : (?P<name>cross-entropy|ce-mean-words) : (?P<rate>{_NUMBER})",
        marker="[valid] ",
    ),
    TextFormat(
        "fairseq log, validation",
        position=rf"\bnum_updates{_BEFORE}(?P<step>\d+)",
        rate=rf"\| loss (?P<rate>{_NUMBER})",
        rate_name="valid loss",
        marker="valid on '",
    ),
    TextFormat(
        "Informer or Time-Series-Library output",
        position=r"^Epoch: (?P<epoch>\d+), Steps: (?P<of>\d+) \|",
        rate=ANY_LOSS,
        marker=", Steps: ",
        epochs_from=1,
    ),
    TextFormat(
        "icefall log, validation",
        position=r"\bEpoch (?P<epoch>\d+), validation:",
        rate=rf"\bvalidation: loss=(?P<rate>{_NUMBER})",
        rate_name="validation loss",
        marker=", validation: loss=",
        epochs_from=1,
    ),
    TextFormat(
        "WeNet log, validation",
        position=r"\bEpoch (?P<epoch>\d+) CV info",
        rate=rf"\b(?P<name>cv_loss) (?P<rate>{_NUMBER})",
        marker=" CV info",
        epochs_from=0,
    ),
)
"""Formats of lines that have a loss and no rate, most of them that of a validation set; tried before the others."""
