"""NumPy and Keras for bench:layers: products of matrices on one thread, and steps of a two-tower model with dense layers.
The protocol is in protocol.py, the commands in README.md."""

import os
import time

# The product is measured on one core; BLAS reads this when it is loaded. TensorFlow has threads of its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np

from protocol import seconds_of, serve

PRODUCTS = 20
STEPS = 5


def cpu_seconds_of(work):
    start = time.process_time()
    work()
    return time.process_time() - start


class Keras:
    def product(self, size):
        """The fastest of some products, in GFLOP per second of the CPU."""
        a = np.sin(1.7 * np.arange(size * size)).astype(np.float32).reshape(size, size)
        b = np.sin(1.7 * np.arange(size * size) + 1).astype(np.float32).reshape(size, size)
        seconds = min(cpu_seconds_of(lambda: a @ b) for _ in range(PRODUCTS))
        return {"gflops": 2 * size**3 / seconds / 1e9}

    def model(self, batch, features, dimensions, units, words):
        """A query tower of embeddings and dense layers, a candidate tower of one embedding, in-batch softmax, Adagrad."""
        import tensorflow as tf

        keras = tf.keras
        keras.utils.set_random_seed(42)
        tables = [keras.layers.Embedding(words, dimensions) for _ in range(features)]
        dense = [keras.layers.Dense(n, activation="relu" if i + 1 < len(units) else None) for i, n in enumerate(units)]
        items = keras.layers.Embedding(words, units[-1])
        optimizer = keras.optimizers.Adagrad(learning_rate=0.1)

        @tf.function
        def step(ids, candidates):
            with tf.GradientTape() as tape:
                x = tf.concat([table(ids[:, i]) for i, table in enumerate(tables)], axis=1)
                for layer in dense:
                    x = layer(x)
                scores = tf.matmul(x, items(candidates), transpose_b=True)
                loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.range(batch), scores))
            weights = [w for layer in [*tables, *dense, items] for w in layer.trainable_weights]
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
            return loss

        generator = np.random.default_rng(1)
        draw = lambda *shape: tf.constant(generator.integers(0, words, shape, np.int32))
        self.batches = [(draw(batch, features), draw(batch)) for _ in range(STEPS)]
        self.step = step
        for layer in [*tables, items]:
            layer.build((None,))
        width = features * dimensions
        for layer in dense:
            layer.build((None, width))
            width = layer.units
        optimizer.build([w for layer in [*tables, *dense, items] for w in layer.trainable_weights])
        return {"loss": float(step(*self.batches[0]))}

    def steps(self):
        """Seconds of a step, the mean of some."""
        seconds, _ = seconds_of(lambda: [float(self.step(*batch)) for batch in self.batches])
        return {"seconds": seconds / STEPS}


if __name__ == "__main__":
    serve(Keras())
