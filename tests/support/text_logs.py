# ruff: noqa: E501  the lines are as long as their writers make them
"""Text logs as their writers print them: a few lines of each kind, and what they say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Log:
    """A log and what it says of its first group."""

    format: str
    text: str
    positions: list[float]
    rates: list[float]
    axis: str = "step"
    groups: tuple[str, ...] = ("lr",)
    total: int | None = None
    skipped: tuple[tuple[int, int], ...] = ()
    steps_per_epoch: int | None = None


def _bar(step: int, of: int) -> str:
    return f"\r  {100 * step // of}%|{'#' * 3}       | {step}/{of} [00:10<00:50,  2.05it/s]"


TEXT_LOGS = {
    "nanotron": Log(
        "nanotron output",
        "01/15/2024 10:00:00 [INFO|DP=0|PP=0|TP=0|host]: iteration: 1 / 1000 | consumed_tokens: 262K | "
        "elapsed_time_per_iteration_ms: 2.1K | lm_loss: 10.8 | lr: 1.5e-06 | model_tflops_per_gpu: 9.8\n"
        "01/15/2024 10:00:02 [INFO|DP=0|PP=0|TP=0|host]: iteration: 2 / 1000 | consumed_tokens: 524K | "
        "elapsed_time_per_iteration_ms: 700 | lm_loss: 10.7 | lr: 3e-06 | model_tflops_per_gpu: 30.1\n",
        [1, 2],
        [1.5e-06, 3e-06],
        total=1000,
    ),
    "mmcv text by epochs": Log(
        "mmcv log",
        "2021-12-21 21:51:30,877 - mmdet - INFO - Epoch [1][50/200]\tlr: 1.978e-03, eta: 0:56:09, loss: 1.1\n"
        "2021-12-21 21:51:42,944 - mmdet - INFO - Epoch [1][200/200]\tlr: 3.976e-03, eta: 0:55:09, loss: 1.0\n"
        "2021-12-21 21:51:49,944 - mmdet - INFO - Epoch(val) [1][625]\tbbox_mAP: 0.1\n"
        "2021-12-21 21:51:52,944 - mmdet - INFO - Epoch [2][50/200]\tlr: 5.974e-03, eta: 0:54:09, loss: 0.9\n",
        [0.245, 0.995, 1.245],
        [1.978e-03, 3.976e-03, 5.974e-03],
        "epoch",
        steps_per_epoch=200,
    ),
    "mmcv text, one epoch that is not the first": Log(
        "mmcv log",
        "2021-12-21 21:51:30,877 - mmseg - INFO - Epoch [3][50/200]\tlr: 1.978e-03, eta: 0:56:09, loss: 1.1\n"
        "2021-12-21 21:51:42,944 - mmseg - INFO - Epoch [3][100/200]\tlr: 1.900e-03, eta: 0:55:09, loss: 1.0\n",
        [2.245, 2.495],
        [1.978e-03, 1.9e-03],
        "epoch",
        steps_per_epoch=200,
    ),
    "mmcv text by iterations": Log(
        "mmcv log",
        "2021-12-21 21:51:30,877 - mmseg - INFO - Iter [50/160000]\tlr: 1.978e-06, eta: 0:56:09, time: 0.303\n"
        "2021-12-21 21:51:42,944 - mmseg - INFO - Iter [100/160000]\tlr: 3.976e-06, eta: 0:55:09, time: 0.303\n",
        [50, 100],
        [1.978e-06, 3.976e-06],
        total=160000,
    ),
    "mmengine by epochs": Log(
        "mmengine log",
        "2024/01/01 00:00:00 - mmengine - INFO - Epoch(train)  [1][  50/7330]  base_lr: 2.0e-02 lr: 2.0000e-03  eta: 1\n"
        "2024/01/01 00:00:00 - mmengine - INFO - Epoch(train)  [2][  50/7330]  base_lr: 2.0e-02 lr: 4.0000e-03  eta: 1\n",
        [49 / 7330, 1 + 49 / 7330],
        [0.002, 0.004],
        "epoch",
        steps_per_epoch=7330,
    ),
    "PaddleDetection": Log(
        "PaddleDetection log",
        "[06/10 03:32:12] ppdet.engine INFO: Epoch: [0] [   0/1610] learning_rate: 0.000333 loss: 3.1 eta: 1:00:00\n"
        "[06/10 03:32:22] ppdet.engine INFO: Epoch: [0] [  20/1610] learning_rate: 0.000346 loss: 3.0 eta: 1:00:00\n"
        "[06/10 04:32:22] ppdet.engine INFO: Epoch: [1] [   0/1610] learning_rate: 0.001000 loss: 2.0 eta: 0:50:00\n",
        [0, 20 / 1610, 1],
        [0.000333, 0.000346, 0.001],
        "epoch",
        ("learning_rate",),
        steps_per_epoch=1610,
    ),
    "PaddleClas": Log(
        "PaddleClas log",
        "[2022/02/15 10:00:00] ppcls INFO: [Train][Epoch 1/100][Iter: 0/1251]lr(LinearWarmup): 0.00001000, top1: 0.1\n"
        "[2022/02/15 10:00:10] ppcls INFO: [Train][Epoch 2/100][Iter: 10/1251]lr(LinearWarmup): 0.00002000, top1: 0.2\n",
        [0, 1 + 10 / 1251],
        [1e-05, 2e-05],
        "epoch",
        total=100,
        steps_per_epoch=1251,
    ),
    "PaddleSeg": Log(
        "PaddleSeg log",
        "2022-02-15 10:00:00 [INFO]\t[TRAIN] epoch: 1, iter: 10/80000, loss: 1.2, lr: 0.009999, batch_cost: 0.3\n"
        "2022-02-15 10:00:10 [INFO]\t[TRAIN] epoch: 2, iter: 20/80000, loss: 1.1, lr: 0.009998, batch_cost: 0.3\n",
        [10, 20],
        [0.009999, 0.009998],
        total=80000,
    ),
    "PaddleOCR": Log(
        "PaddleOCR log",
        "[2022/02/15 10:00:00] ppocr INFO: epoch: [1/1200], global_step: 10, lr: 0.000001, loss: 5.1, avg_batch_cost: 1\n"
        "[2022/02/15 10:00:10] ppocr INFO: epoch: [2/1200], global_step: 20, lr: 0.000003, loss: 4.1, avg_batch_cost: 1\n",
        [10, 20],
        [1e-06, 3e-06],
    ),
    "PaddleNLP": Log(
        "PaddleNLP log",
        "[2024-01-01 00:00:00,000] [    INFO] - loss: 2.1, learning_rate: 3e-06, global_step: 10, interval_runtime: 5.1, "
        "interval_samples_per_second: 3.1, progress_or_epoch: 0.01\n"
        "[2024-01-01 00:00:09,000] [    INFO] - loss: 2.0, learning_rate: 6e-06, global_step: 20, interval_runtime: 5.1, "
        "interval_samples_per_second: 3.1, progress_or_epoch: 0.02\n",
        [10, 20],
        [3e-06, 6e-06],
        groups=("learning_rate",),
    ),
    "Swin": Log(
        "Swin log",
        "[2021-04-09 10:00:00 swin_tiny](main.py 200): INFO Train: [0/300][0/1251]\teta 1 day, 4:45:36 lr 0.000001\t "
        "wd 0.0500\ttime 13.7 (13.7)\tloss 6.9 (6.9)\n"
        "[2021-04-09 10:01:00 swin_tiny](main.py 200): INFO Train: [0/300][50/1251]\teta 1 day, 4:45:36 lr 0.000003\t "
        "wd 0.0500\ttime 13.7 (13.7)\tloss 6.9 (6.9)\n"
        "[2021-04-09 10:02:00 swin_tiny](main.py 260): INFO Test: [0/196]\tTime 2.1 (2.1)\tLoss 6.9\n"
        "[2021-04-09 10:03:00 swin_tiny](main.py 200): INFO Train: [1/300][0/1251]\teta 1 day, 4:45:36 lr 0.000051\t "
        "wd 0.0500\ttime 13.7 (13.7)\tloss 6.9 (6.9)\n",
        [0, 50 / 1251, 1],
        [1e-06, 3e-06, 5.1e-05],
        "epoch",
        total=300,
        steps_per_epoch=1251,
    ),
    "timm": Log(
        "timm output",
        "Train: 0 [   0/1251 (  0%)]  Loss: 6.93 (6.93)  Time: 5.1s,  250.1/s  (5.1s,  250.1/s)  LR: 1.000e-06  Data: 3.0\n"
        "Train: 0 [  50/1251 (  4%)]  Loss: 6.93 (6.93)  Time: 0.1s,  250.1/s  (5.1s,  250.1/s)  LR: 3.000e-06  Data: 3.0\n"
        "Test: [   0/195]  Time: 2.1 (2.1)  Loss: 6.9 (6.9)\n"
        "Train: 1 [1250/1251 (100%)]  Loss: 6.83 (6.93)  Time: 0.1s,  250.1/s  (5.1s,  250.1/s)  LR: 5.100e-05  Data: 3.0\n",
        [0, 50 / 1251, 1 + 1250 / 1251],
        [1e-06, 3e-06, 5.1e-05],
        "epoch",
        ("LR",),
        steps_per_epoch=1251,
    ),
    "DETR": Log(
        "torchvision, DETR or MAE output",
        "Epoch: [0]  [   0/1610]  eta: 1:00:12  lr: 0.000100  loss: 30.1 (30.1)  time: 2.1  data: 0.3  max mem: 4000\n"
        "Epoch: [0]  [  20/1610]  eta: 0:50:12  lr: 0.000099  loss: 20.1 (25.1)  time: 0.6  data: 0.0  max mem: 5000\n"
        "Averaged stats: lr: 0.000099  loss: 20.1 (25.1)\n"
        "Epoch: [1]  [   0/1610]  eta: 0:50:12  lr: 0.000098  loss: 20.1 (25.1)  time: 0.6  data: 0.0  max mem: 5000\n",
        [0, 20 / 1610, 1],
        [1e-4, 9.9e-5, 9.8e-5],
        "epoch",
        steps_per_epoch=1610,
    ),
    "DINO": Log(
        "torchvision, DETR or MAE output",
        "Epoch: [0/100]  [   0/200]  eta: 0:50:12  loss: 11.1 (11.1)  lr: 0.000000 (0.000000)  wd: 0.0400 (0.0400)\n"
        "Epoch: [1/100]  [  10/200]  eta: 0:40:12  loss: 10.1 (11.0)  lr: 0.000053 (0.000049)  wd: 0.0400 (0.0400)\n",
        [0, 1.05],
        [0.0, 0.000053],
        "epoch",
        total=100,
        steps_per_epoch=200,
    ),
    "YOLOX": Log(
        "YOLOX log",
        "2021-09-01 10:00:00 | INFO     | yolox.core.trainer:238 - epoch: 1/300, iter: 10/925, mem: 9111Mb, "
        "iter_time: 0.4s, data_time: 0.1s, total_loss: 15.1, lr: 1.169e-07, size: 640, ETA: 1 day, 8:00:00\n"
        "2021-09-01 10:05:00 | INFO     | yolox.core.trainer:238 - epoch: 2/300, iter: 10/925, mem: 9111Mb, "
        "iter_time: 0.4s, data_time: 0.1s, total_loss: 14.1, lr: 4.000e-04, size: 640, ETA: 1 day, 8:00:00\n",
        [9 / 925, 1 + 9 / 925],
        [1.169e-07, 4e-4],
        "epoch",
        total=300,
        steps_per_epoch=925,
    ),
    "icefall": Log(
        "icefall log",
        "2023-01-01 10:00:00,000 INFO [train.py:900] (0/4) Epoch 1, batch 0, loss[loss=7.6, simple_loss=7.0, over "
        "16876.00 frames.], tot_loss[loss=7.6], batch size: 66, lr: 2.25e-02,\n"
        "2023-01-01 10:00:30,000 INFO [train.py:900] (0/4) Epoch 1, batch 49, loss[loss=1.6, over 1.00 frames.], "
        "tot_loss[loss=2.6], batch size: 66, lr: 2.48e-02,\n"
        "2023-01-01 10:01:00,000 INFO [train.py:900] (0/4) Epoch 2, batch 0, loss[loss=1.6, over 1.00 frames.], "
        "tot_loss[loss=2.6], batch size: 66, lr: 2.47e-02,\n",
        [0, 0.98, 1],
        [2.25e-02, 2.48e-02, 2.47e-02],
        "epoch",
    ),
    "WeNet": Log(
        "WeNet log",
        "2021-07-01 10:00:00,000 DEBUG TRAIN Batch 0/0 loss 410.1 loss_att 200.1 loss_ctc 900.1 lr 0.00000008 rank 0\n"
        "2021-07-01 10:00:30,000 DEBUG TRAIN Batch 0/99 loss 110.1 loss_att 100.1 loss_ctc 200.1 lr 0.00000808 rank 0\n"
        "2021-07-01 10:01:30,000 DEBUG CV Batch 0/0 loss 90.1 loss_att 80.1 history loss 90.1 rank 0\n"
        "2021-07-01 10:02:00,000 DEBUG TRAIN Batch 1/50 loss 80.1 loss_att 70.1 loss_ctc 90.1 lr 0.00001200 rank 0\n",
        [0, 0.99, 1.5],
        [8e-08, 8.08e-06, 1.2e-05],
        "epoch",
    ),
    "fairseq": Log(
        "fairseq log",
        "2021-01-01 00:00:00 | INFO | train_inner | epoch 001:    100 / 1234 loss=10.1, nll_loss=9.1, ppl=500, wps=9000, "
        "ups=2.5, wpb=3500, bsz=120, num_updates=100, lr=1.25e-05, gnorm=2.1, train_wall=40, wall=50\n"
        "2021-01-01 00:00:40 | INFO | train_inner | epoch 002:    100 / 1234 loss=9.1, nll_loss=8.1, ppl=300, wps=9000, "
        "ups=2.5, wpb=3500, bsz=120, num_updates=1334, lr=0.00016675, gnorm=1.1, train_wall=40, wall=90\n",
        [100, 1334],
        [1.25e-05, 0.00016675],
    ),
    "fairseq, an object in each line": Log(
        "fairseq log",
        '2021-01-01 00:00:00 | INFO | train_inner | {"epoch": 1, "loss": "5", "num_updates": "100", "lr": "1.25e-05"}\n'
        '2021-01-01 00:00:01 | INFO | train_inner | {"epoch": 1, "loss": "5", "num_updates": "200", "lr": "2.5e-05"}\n',
        [100, 200],
        [1.25e-05, 2.5e-05],
    ),
    "Marian": Log(
        "Marian log",
        "[2021-05-28 19:17:52] Ep. 1 : Up. 500 : Sen. 63,614 : Cost 5.41353178 * 1,857,078 @ 4,132 after 1,857,078 : "
        "Time 239.44s : 7755.77 words/s : L.r. 9.3750e-06\n"
        "[2021-05-28 19:18:52] [valid] Ep. 1 : Up. 500 : ce-mean-words : 5.21277 : new best\n"
        "[2021-05-28 19:21:49] Ep. 1 : Up. 1,000 : Sen. 126,940 : Cost 4.52651596 * 1,848,796 @ 3,867 after 3,705,874 : "
        "Time 236.91s : 7803.91 words/s : gNorm 0.5 : L.r. 1.8750e-05\n",
        [500, 1000],
        [9.375e-06, 1.875e-05],
        groups=("L.r.",),
    ),
    "detectron2": Log(
        "detectron2 log",
        "[01/01 10:00:00 d2.utils.events]:  eta: 1 day, 1:00:00  iter: 19  total_loss: 1.5  loss_cls: 0.5  time: 0.4  "
        "data_time: 0.01  lr: 1.9981e-05  max_mem: 2000M\n"
        "\x1b[32m[01/01 10:00:09 d2.utils.events]: \x1b[0m eta: 1 day, 0:59:00  iter: 39  total_loss: 1.4  loss_cls: 0.5  "
        "time: 0.4  data_time: 0.01  lr: 3.9961e-05  max_mem: 2000M\n",
        [19, 39],
        [1.9981e-05, 3.9961e-05],
    ),
    "torchtitan": Log(
        "torchtitan log",
        "[rank0]:[titan] 2024-11-01 10:00:00,000 - root - INFO - \x1b[31mstep:  1  \x1b[32mloss: 12.2  \x1b[33mmemory: "
        "3.1GiB(4%)  \x1b[34mtps: 1,234  \x1b[35mlr: 1.5000e-06\x1b[39m\n"
        "[rank0]:[titan] 2024-11-01 10:00:09,000 - root - INFO - \x1b[31mstep: 10  \x1b[32mloss: 11.2  \x1b[33mmemory: "
        "3.1GiB(4%)  \x1b[34mtps: 1,234  \x1b[35mlr: 1.5000e-05\x1b[39m\n",
        [1, 10],
        [1.5e-06, 1.5e-05],
    ),
    "OLMo": Log(
        "OLMo output",
        "2024-01-01 10:00:00.000\thost:0\tolmo.train:883\tINFO\t[step=1/739328,epoch=0]\n"
        "    optim/total_grad_norm=5.1\n    optim/learning_rate_group0=2.0e-07\n    optim/learning_rate_group1=2.0e-07\n"
        "    train/CrossEntropyLoss=11.1\n"
        "2024-01-01 10:00:09.000\thost:0\tolmo.train:883\tINFO\t[step=2/739328,epoch=0]\n"
        "    optim/total_grad_norm=5.0\n    optim/learning_rate_group0=4.0e-07\n    optim/learning_rate_group1=4.0e-07\n",
        [1, 2],
        [2e-07, 4e-07],
        groups=("learning_rate_group0", "learning_rate_group1"),
        total=739328,
    ),
    "OLMo-core": Log(
        "OLMo output",
        "2025-01-01 10:00:00\thost:0\tolmo_core.train.callbacks.console_logger:66\tINFO\t[step=10/1,000,epoch=1,eta=1:00]\n"
        "    optim/LR (group 0)=4E-06\n    optim/total grad norm=5.1\n"
        "2025-01-01 10:00:09\thost:0\tolmo_core.train.callbacks.console_logger:66\tINFO\t[step=20/1,000,epoch=1,eta=1:00]\n"
        "    optim/LR (group 0)=8E-06\n    optim/total grad norm=5.1\n",
        [10, 20],
        [4e-06, 8e-06],
        groups=("LR (group 0)",),
        total=1000,
    ),
    "Coqui TTS": Log(
        "Coqui TTS output",
        "\x1b[1m   --> STEP: 24/406 -- GLOBAL_STEP: 25\x1b[0m\n     | > loss: 3.1  (3.2)\n     | > current_lr: 2.5e-07 \n\n"
        "\x1b[1m   --> STEP: 49/406 -- GLOBAL_STEP: 50\x1b[0m\n     | > loss: 3.1  (3.2)\n     | > current_lr: 5e-07 \n",
        [25, 50],
        [2.5e-07, 5e-07],
        groups=("current_lr",),
    ),
    "Keras 3, verbose=1": Log(
        "Keras output",
        "Epoch 1/30\n"
        "\x1b[1m   1/1500\x1b[0m \x1b[37m━━━━━━━━━━━━━━━━━━━━\x1b[0m \x1b[1m1:10:12\x1b[0m 3s/step - accuracy: 0.1 - loss: 2.3\x08\x08\r"
        "\x1b[1m1500/1500\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m47s\x1b[0m 31ms/step - accuracy: 0.5 "
        "- loss: 1.3 - val_accuracy: 0.6 - val_loss: 1.2 - learning_rate: 0.0010\n"
        "Epoch 2/30\n"
        "\x1b[1m1500/1500\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m45s\x1b[0m 30ms/step - accuracy: 0.6 "
        "- loss: 1.2 - val_accuracy: 0.6 - val_loss: 1.2 - learning_rate: 5.7143e-04\n",
        [0, 1],
        [0.001, 5.7143e-04],
        "epoch",
        ("learning_rate",),
        total=30,
        steps_per_epoch=1500,
    ),
    "Keras 3, a copy of a notebook": Log(
        "Keras output",
        "Epoch 1/25\n163/163 ━━━━━━━━━━━━━━━━━━━━ 0s 700ms/step - accuracy: 0.4 - loss: 1.9\n"
        "Epoch 1: val_loss improved from inf to 1.39490, saving model to model.keras\n"
        "163/163 ━━━━━━━━━━━━━━━━━━━━ 123s 743ms/step - accuracy: 0.4822 - loss: 1.8604 - val_loss: 1.3949 - "
        "learning_rate: 1.0000e-04\nEpoch 2/25\n163/163 ━━━━━━━━━━━━━━━━━━━━ 127s 776ms/step - accuracy: 0.6243 - "
        "loss: 1.2741 - val_loss: 1.0824 - learning_rate: 2.0000e-05\n",
        [0, 1],
        [1e-4, 2e-5],
        "epoch",
        ("learning_rate",),
        total=25,
        steps_per_epoch=163,
    ),
    "Keras 2, verbose=1": Log(
        "Keras output",
        "Epoch 1/2\n390/390 [==============================] - 69s 176ms/step - loss: 1.4833 - acc: 0.4628 - lr: 0.0100\n"
        "Epoch 2/2\n390/390 [==============================] - 66s 170ms/step - loss: 1.1025 - acc: 0.6070 - lr: 0.0076\n",
        [0, 1],
        [0.01, 0.0076],
        "epoch",
        total=2,
        steps_per_epoch=390,
    ),
    "Keras, verbose=2": Log(
        "Keras output",
        "Epoch 1/2\n390/390 - 69s - 176ms/step - accuracy: 0.4628 - loss: 1.4833 - learning_rate: 0.0100\n"
        "Epoch 2/2\n390/390 - 66s - 170ms/step - accuracy: 0.6070 - loss: 1.1025 - learning_rate: 7.5815e-04\n",
        [0, 1],
        [0.01, 7.5815e-04],
        "epoch",
        ("learning_rate",),
        total=2,
        steps_per_epoch=390,
    ),
    "Keras 1, verbose=2": Log(
        "Keras output",
        "Train on 60000 samples, validate on 10000 samples\nEpoch 1/2\n - 69s - loss: 1.4833 - acc: 0.4628 - lr: 0.0100\n"
        "Epoch 2/2\n - 66s - loss: 1.1025 - acc: 0.6070 - lr: 0.0076\n",
        [0, 1],
        [0.01, 0.0076],
        "epoch",
        total=2,
    ),
    "Keras 1 counts samples": Log(
        "Keras output",
        "Train on 60000 samples, validate on 10000 samples\n"
        "Epoch 1/2\n60000/60000 [==============================] - 9s 142us/step - loss: 0.54 - acc: 0.84 - lr: 0.0030\n"
        "Epoch 2/2\n60000/60000 [==============================] - 6s 96us/step - loss: 0.26 - acc: 0.92 - lr: 0.0023\n",
        [0, 1],
        [0.003, 0.0023],
        "epoch",
        total=2,
    ),
    "Keras LearningRateScheduler": Log(
        "Keras LearningRateScheduler output",
        "Epoch 1/20\n\nEpoch 00001: LearningRateScheduler setting learning rate to 0.003.\n"
        "60000/60000 [==============================] - 9s 142us/step - loss: 0.5439 - acc: 0.8464 - lr: 0.0030\n"
        "Epoch 2/20\n\nEpoch 00002: LearningRateScheduler setting learning rate to 0.0022744503.\n"
        "60000/60000 [==============================] - 6s 96us/step - loss: 0.2650 - acc: 0.9188 - lr: 0.0023\n",
        [0, 1],
        [0.003, 0.0022744503],
        "epoch",
        ("learning_rate",),
    ),
    "Hugging Face Trainer 4, with its progress bar": Log(
        "Hugging Face Trainer output",
        "".join(
            f"{_bar(step, 400)}{' ' * 40}\r{{'loss': 2.1, 'grad_norm': 1.5, 'learning_rate': {rate}, 'epoch': {epoch}}}\n"
            for step, rate, epoch in ((10, 5e-06, 0.05), (20, 1e-05, 0.1), (30, 1.5e-05, 0.15), (40, 2e-05, 0.2))
        ),
        [10, 20, 30, 40],
        [5e-06, 1e-05, 1.5e-05, 2e-05],
        groups=("learning_rate",),
        total=400,
    ),
    "Hugging Face Trainer 4, rounded epochs": Log(
        "Hugging Face Trainer output",
        "".join(
            f"{{'loss': 2.1, 'learning_rate': {row * 1e-06!r}, 'epoch': {round(row / 400, 2)}}}\n"
            for row in range(1, 41)
        ),
        [row / 400 for row in range(1, 41)],
        [row * 1e-06 for row in range(1, 41)],
        "epoch",
        ("learning_rate",),
    ),
    "Hugging Face Trainer 5": Log(
        "Hugging Face Trainer output",
        "".join(
            f"{{'loss': '0.71', 'grad_norm': '1.008', 'learning_rate': '{row * 1e-06:.4g}', 'epoch': '{row / 300:.4g}'}}\n"
            for row in range(1, 21)
        ),
        [row / 300 for row in range(1, 21)],
        [float(f"{row * 1e-06:.4g}") for row in range(1, 21)],
        "epoch",
        ("learning_rate",),
    ),
    "Lightning's progress bar": Log(
        "progress bar of each epoch",
        "\rEpoch 0:  50%|#####     | 50/100 [00:01<00:04, 19.5it/s, v_num=0, loss=0.91, lr=0.001]"
        "\rEpoch 0: 100%|##########| 100/100 [00:01<00:04, 19.5it/s, v_num=0, loss=0.81, lr=0.001]"
        "\rEpoch 0: 100%|##########| 100/100 [00:01<00:04, 19.5it/s, v_num=0, loss=0.80, lr=0.002]"
        "\rEpoch 1:  50%|#####     | 50/100 [00:01<00:04, 19.5it/s, v_num=0, loss=0.71, lr=0.003]\n",
        [0.49, 0.99, 1.49],
        [0.001, 0.002, 0.003],
        "epoch",
        steps_per_epoch=100,
    ),
    "diffusers": Log(
        "progress bar of the run",
        "\rSteps:   0%|          | 0/500 [00:00<?, ?it/s]"
        "\rSteps:   2%|▏         | 10/500 [00:05<03:59,  2.05it/s, lr=2e-6, step_loss=0.101]"
        "\rSteps:   2%|▏         | 11/500 [00:05<03:59,  2.05it/s, lr=2e-6, step_loss=0.101]"
        "\rSteps:   2%|▏         | 11/500 [00:05<03:59,  2.05it/s, lr=2.2e-6, step_loss=0.1]\n",
        [10, 11],
        [2e-6, 2.2e-6],
        total=500,
    ),
    "darknet": Log(
        "darknet output",
        " 100: 15.412345, 16.112345 avg loss, 0.001000 rate, 5.100000 seconds, 6400 images, 3.1 hours left\n"
        "Loaded: 0.000030 seconds\n"
        " 101: 15.312345, 16.012345 avg loss, 0.001100 rate, 5.100000 seconds, 6464 images, 3.1 hours left\n",
        [100, 101],
        [0.001, 0.0011],
        groups=("rate",),
    ),
    "several rates": Log(
        "text with a step and a rate",
        "step 10 lr [0.1, 0.01]\nstep 20 lr [0.2, 0.02]\n",
        [10, 20],
        [0.1, 0.2],
        groups=("lr[0]", "lr[1]"),
    ),
    "nanoGPT": Log(
        "text with a step and a rate",
        "iter 10: loss 5.1, time 100.1ms, mfu 5.1%, lr 3.0e-04\niter 20: loss 5.0, time 100.1ms, mfu 5.1%, lr 2.5e-04\n",
        [10, 20],
        [3e-4, 2.5e-4],
    ),
    "an epoch and steps that are counted anew": Log(
        "text with a step and a rate",
        "Epoch [1/5], Step [50/100], Loss: 0.5, lr: 0.1\nEpoch [1/5], Step [100/100], Loss: 0.5, lr: 0.2\n"
        "Epoch [2/5], Step [50/100], Loss: 0.4, lr: 0.3\n",
        [0.49, 0.99, 1.49],
        [0.1, 0.2, 0.3],
        "epoch",
        total=5,
        steps_per_epoch=100,
    ),
    "an epoch and steps that go on": Log(
        "text with a step and a rate",
        "[epoch 1][iter 50/500] lr: 0.1\n[epoch 1][iter 100/500] lr: 0.2\n[epoch 2][iter 150/500] lr: 0.3\n",
        [50, 100, 150],
        [0.1, 0.2, 0.3],
        total=500,
    ),
    "steps of one epoch alone": Log(
        "text with a step and a rate",
        "Epoch: 1 Iter: 20/100 lr 0.1\nEpoch: 1 Iter: 40/100 lr 0.2\n",
        [20, 40],
        [0.1, 0.2],
    ),
    "an epoch and batches": Log(
        "text with an epoch, a batch and a rate",
        "| epoch   1 |   200/ 2983 batches | lr 20.00 | ms/batch 10.1 | loss 7.6\n"
        "| epoch   1 |   400/ 2983 batches | lr 10.00 | ms/batch 10.1 | loss 7.6\n"
        "| epoch   2 |   200/ 2983 batches | lr 5.00 | ms/batch 10.1 | loss 7.6\n",
        [199 / 2983, 399 / 2983, 1 + 199 / 2983],
        [20.0, 10.0, 5.0],
        "epoch",
        steps_per_epoch=2983,
    ),
    "SwAV": Log(
        "text with an epoch, a batch and a rate",
        "INFO - 09/04/20 07:56:14 - 0:00:27 - Epoch: [0][0]\tTime 9.1 (9.1)\tData 3.1 (3.1)\tLoss 8.0 (8.0)\tLr: 0.3000\n"
        "INFO - 09/04/20 07:56:54 - 0:01:06 - Epoch: [0][49]\tTime 0.1 (0.6)\tData 0.1 (0.3)\tLoss 7.9 (8.0)\tLr: 0.4000\n"
        "INFO - 09/04/20 07:57:21 - 0:01:33 - Epoch: [1][0]\tTime 9.1 (9.1)\tData 3.1 (3.1)\tLoss 7.8 (7.8)\tLr: 0.5000\n",
        [0, 0.98, 1],
        [0.3, 0.4, 0.5],
        "epoch",
        ("Lr",),
    ),
    "Informer": Log(
        "Informer or Time-Series-Library output",
        "Epoch: 1 cost time: 9.7\nEpoch: 1, Steps: 569 | Train Loss: 0.1477 Vali Loss: 0.1317 Test Loss: 0.1537\n"
        "EarlyStopping counter: 1 out of 10\nUpdating learning rate to 5e-05\n"
        "\titers: 100, epoch: 2 | loss: 0.1230700\n\tspeed: 15.4625s/iter; left time: 33661.9529s\n"
        "Epoch: 2, Steps: 569 | Train Loss: 0.1469 Vali Loss: 0.1307 Test Loss: 0.1545\n"
        "Updating learning rate to 2.5e-05\n",
        [1, 2],
        [5e-05, 2.5e-05],
        "epoch",
        ("learning rate",),
        steps_per_epoch=569,
    ),
    "an epoch and a number of the batch": Log(
        "text with an epoch, a batch and a rate",
        "Epoch: 0, batch: 0/4, lr: 0.1\nEpoch: 0, batch: 2/4, lr: 0.2\nEpoch: 1, batch: 0/4, lr: 0.3\n",
        [0, 0.5, 1],
        [0.1, 0.2, 0.3],
        "epoch",
        steps_per_epoch=4,
    ),
    "epochs alone": Log(
        "text with an epoch and a rate",
        "Epoch 1 lr 0.1 loss 2\nEpoch 2 lr 0.05 loss 1\n",
        [1, 2],
        [0.1, 0.05],
        "epoch",
    ),
}
