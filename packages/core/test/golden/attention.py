"""Writes attention.json: the outputs and gradients of Keras's MultiHeadAttention with a causal mask, for one sequence.

Run: python attention.py   (Keras with TensorFlow)

The output projection is the identity, because the layer here has none. `kernel` and `bias` are those of queries, keys and
values side by side; the loss is the sum of `weights` * y.
"""
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

ITEMS, D, HEADS = 5, 6, 2
random = np.random.default_rng(7)
x = random.normal(size=(1, ITEMS, D)).astype(np.float32)
weights = random.normal(size=(1, ITEMS, D)).astype(np.float32)
kernels = [random.normal(size=(D, D)).astype(np.float32) for _ in "qkv"]
biases = [random.normal(size=D).astype(np.float32) for _ in "qkv"]

layer = tf.keras.layers.MultiHeadAttention(num_heads=HEADS, key_dim=D // HEADS)
layer(x, x)
shape = (D, HEADS, D // HEADS)
given = {"kernel": kernels, "bias": biases}
parts = [layer._query_dense, layer._key_dense, layer._value_dense]
for part, kernel, bias in zip(parts, kernels, biases):
    part.set_weights([kernel.reshape(shape), bias.reshape(shape[1:])])
layer._output_dense.set_weights([np.eye(D, dtype=np.float32).reshape(HEADS, D // HEADS, D), np.zeros(D, np.float32)])

inputs = tf.constant(x)
variables = [part.kernel for part in parts] + [part.bias for part in parts]
with tf.GradientTape() as tape:
    tape.watch(inputs)
    y = layer(inputs, inputs, use_causal_mask=True)
    loss = tf.reduce_sum(y * weights)
dx, *gradients = tape.gradient(loss, [inputs, *variables])
side_by_side = lambda parts: np.concatenate([np.asarray(part).reshape(D, D) for part in parts], axis=1)
golden = {
    "source": f"tf.keras.layers.MultiHeadAttention of TensorFlow {tf.__version__}",
    "heads": HEADS,
    "x": x[0].tolist(),
    "weights": weights[0].tolist(),
    "kernel": side_by_side(kernels).tolist(),
    "bias": np.concatenate(biases).tolist(),
    "y": y.numpy()[0].tolist(),
    "dx": dx.numpy()[0].tolist(),
    "kernelGradient": side_by_side(gradients[:3]).tolist(),
    "biasGradient": np.concatenate([np.asarray(each).reshape(D) for each in gradients[3:]]).tolist(),
}
Path(__file__).with_name("attention.json").write_text(json.dumps(golden) + "\n")
