"""Writes optimizers.json: parameters after each of six steps of Keras's optimizers, its clipping, decay and schedules.

Run: KERAS_BACKEND=jax python optimizers.py   (Keras 3)

Every second gradient is tiny, so that the place of epsilon shows. Each row of `lazyAdam` is a variable of its own, which
Keras steps only where the row is named. Keras has no row-wise Adagrad: its figures are the formula of FBGEMM
(EXACT_ROWWISE_ADAGRAD: a += mean(g^2); p -= rate * g / (sqrt(a) + eps)) in float64.
"""
import json
from pathlib import Path

import keras
import numpy as np
from keras import optimizers as ko

STEPS, ROWS, D = 6, 3, 5
NAMED = [[0, 2], [1], [0, 1, 2], [2], [0], [1, 2]]
random = np.random.default_rng(7)
START = random.normal(size=(ROWS, D)).astype(np.float32)
GRADIENTS = []
for step in range(STEPS):
    scale = 1e-7 if step % 2 else 1.0
    GRADIENTS.append((random.normal(size=(ROWS, D)) * scale).astype(np.float32))


def run(optimizer, gradients=GRADIENTS):
    variable = keras.Variable(START)
    after = []
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        after.append(np.array(variable).tolist())
    return after


def run_lazy(make):
    rows = [(keras.Variable(START[row]), make()) for row in range(ROWS)]
    after = []
    for gradient, named in zip(GRADIENTS, NAMED):
        for row in named:
            variable, optimizer = rows[row]
            optimizer.apply([keras.ops.convert_to_tensor(gradient[row])], [variable])
        after.append([np.array(variable).tolist() for variable, _ in rows])
    return after


def zero_unnamed():
    masked = []
    for gradient, named in zip(GRADIENTS, NAMED):
        each = np.zeros_like(gradient)
        each[named] = gradient[named]
        masked.append(each)
    return masked


def row_wise(rate, epsilon):
    p, a, after = START.astype(np.float64), np.zeros(ROWS), []
    for gradient in GRADIENTS:
        g = gradient.astype(np.float64)
        a += (g ** 2).mean(axis=1)
        p = p - rate * g / (np.sqrt(a) + epsilon)[:, None]
        after.append(p.tolist())
    return after


def two_variables(optimizer):
    a, b = keras.Variable(START), keras.Variable(START[:2] * 2)
    after = []
    for gradient in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(gradient), keras.ops.convert_to_tensor(gradient[:2] * 3)], [a, b])
        after.append([np.array(a).tolist(), np.array(b).tolist()])
    return after


def schedule(of, steps=range(0, 26)):
    return [float(of(step)) for step in steps]


s = ko.schedules
result = {
    "source": f"Keras {keras.__version__}, backend {keras.backend.backend()}, optimizers.py",
    "start": START.tolist(),
    "gradients": [gradient.tolist() for gradient in GRADIENTS],
    "named": NAMED,
    "cases": {
        "adagrad": run(ko.Adagrad(learning_rate=0.1)),
        "adagrad weightDecay": run(ko.Adagrad(learning_rate=0.1, weight_decay=0.05)),
        "rowWiseAdagrad": row_wise(0.1, 1e-8),
        "sgd": run(ko.SGD(learning_rate=0.1)),
        "sgd momentum": run(ko.SGD(learning_rate=0.1, momentum=0.9)),
        "sgd nesterov": run(ko.SGD(learning_rate=0.1, momentum=0.9, nesterov=True)),
        "adam": run(ko.Adam(learning_rate=0.01)),
        "adam weightDecay": run(ko.AdamW(learning_rate=0.01, weight_decay=0.1)),
        "adam named": run(ko.Adam(learning_rate=0.01), zero_unnamed()),
        "lazyAdam named": run_lazy(lambda: ko.Adam(learning_rate=0.01)),
        "sgd clipNorm": run(ko.SGD(learning_rate=0.1, clipnorm=0.7)),
        "sgd clipValue": run(ko.SGD(learning_rate=0.1, clipvalue=0.3)),
        "adagrad exponentialDecay": run(ko.Adagrad(learning_rate=s.ExponentialDecay(0.1, 4, 0.5))),
    },
    "globalClipNorm": two_variables(ko.SGD(learning_rate=0.1, global_clipnorm=1.5)),
    "schedules": {
        "exponentialDecay": schedule(s.ExponentialDecay(0.5, 10, 0.9)),
        "staircase": schedule(s.ExponentialDecay(0.5, 10, 0.9, staircase=True)),
        "cosineDecay": schedule(s.CosineDecay(0.5, 10, alpha=0.1)),
        "warmup": schedule(s.CosineDecay(0.1, 10, alpha=0.1, warmup_target=0.5, warmup_steps=5)),
    },
}
Path(__file__).with_name("optimizers.json").write_text(json.dumps(result) + "\n")
