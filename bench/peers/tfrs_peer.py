"""TensorFlow Recommenders on the efficient-serving tutorial. See protocol.py for the commands.

Two faults of the library are stepped round, or its evaluations would be of nothing: the setter of `factorized_metrics`
turns a bare metric into an empty list, so it is given a list; and the ScaNN layer needs candidate ids, so evaluation
passes them. The id of a title is its first row among the candidates.

Corpora: "movies", the rows of the titles file; "lots", 1.68 million vectors read by `candidates` or made by `export`.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from protocol import latency, recall_of, seconds_of, serve

layers = tfrs.layers.factorized_top_k


def lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().split("\n")[:-1]


def tower(vocabulary, dimensions):
    return tf.keras.Sequential([
        tf.keras.layers.StringLookup(vocabulary=vocabulary, mask_token=None),
        tf.keras.layers.Embedding(len(vocabulary) + 1, dimensions),
    ])


class TwoTower(tfrs.Model):
    def __init__(self, user_model, movie_model, candidates, with_ids):
        super().__init__()
        self.user_model, self.movie_model, self.with_ids = user_model, movie_model, with_ids
        self.task = tfrs.tasks.Retrieval()
        if candidates is not None:
            self.task.factorized_metrics = [tfrs.metrics.FactorizedTopK(candidates=candidates)]

    def compute_loss(self, features, training=False):
        return self.task(
            self.user_model(features["user"]),
            self.movie_model(features["title"]),
            candidate_ids=features["row"] if self.with_ids else None,
            compute_metrics=not training,
        )


class Tfrs:
    def __init__(self):
        self.indexes = {}
        self.evaluators = {}
        self.lots = None

    def load(
        self,
        trainUsers,
        trainTitles,
        testUsers,
        testTitles,
        titles,
        dimensions=32,
        batch=8192,
        rate=0.1,
        seed=42,
        threads=0,
    ):
        """Reads text files with one value a line, in the order of training and test part. Makes an untrained model.
        threads: of one operation, 0 for all cores; it can be set only in the first command of a process."""
        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.keras.utils.set_random_seed(seed)
        self.titles = lines(titles)
        first = {title: row for row, title in reversed(list(enumerate(self.titles)))}

        def examples(users, seen):
            users, seen = lines(users), lines(seen)
            rows = np.array([first[title] for title in seen], np.int32)
            return tf.data.Dataset.from_tensor_slices({"user": users, "title": seen, "row": rows}).batch(batch).cache()

        self.train, self.test = examples(trainUsers, trainTitles), examples(testUsers, testTitles)
        self.test_users = tf.constant(lines(testUsers))
        self.movies = tf.data.Dataset.from_tensor_slices(self.titles)
        self.user_model = tower(np.unique(lines(trainUsers) + lines(testUsers)), dimensions)
        self.movie_model = tower(np.unique(self.titles), dimensions)
        self.model = TwoTower(self.user_model, self.movie_model, None, False)
        self.model.compile(optimizer=tf.keras.optimizers.Adagrad(learning_rate=rate))
        self.indexes.clear()
        self.evaluators.clear()
        steps = len(list(self.train))
        return {"steps": steps, "titles": len(self.titles), "tests": len(self.test_users)}

    def epoch(self):
        """One epoch; the first of a process also traces the graph. lastBatchLoss is a sum over the last batch's rows."""
        seconds, history = seconds_of(lambda: self.model.fit(self.train, epochs=1, verbose=0))
        return {"seconds": seconds, "lastBatchLoss": float(history.history["loss"][0])}

    def export(self, to, copies=1000, seed=0):
        """Writes base.npy (all movies, then `copies` randomly shrunk copies of them: "lots"), batch.npy (one query a
        test, repeats included), user42.npy; and takes them as `candidates`."""
        os.makedirs(to, exist_ok=True)
        movies = self.movie_model(tf.constant(self.titles)).numpy()
        generator = np.random.default_rng(seed)
        shrunk = [movies * generator.random(movies.shape, dtype=np.float32) for _ in range(copies)]
        base, queries = os.path.join(to, "base.npy"), os.path.join(to, "batch.npy")
        np.save(base, np.concatenate([movies, *shrunk]))
        np.save(queries, self.user_model(self.test_users).numpy())
        np.save(os.path.join(to, "user42.npy"), self.user_model(tf.constant(["42"])).numpy())
        return self.candidates(base, queries)

    def candidates(self, base, queries, truth=None, batch=4096):
        """Vectors of "lots" and queries, and the exact answers of the queries if recall is wanted."""
        vectors = np.ascontiguousarray(np.load(base), np.float32)
        ids = np.arange(len(vectors), dtype=np.int32)
        self.lots = tf.data.Dataset.from_tensor_slices((ids, vectors)).batch(batch).cache()
        self.queries = tf.constant(np.load(queries).astype(np.float32))
        self.truth = None if truth is None else np.load(truth)
        return {"rows": len(vectors), "dimensions": vectors.shape[1], "queries": len(self.queries)}

    def index(self, kind, over="lots", name=None, leaves=100, leavesToSearch=10, reorder=None):
        """Builds a layer: kind bruteForce or scann. Over movies it takes raw users and gives titles, as the tutorial's;
        over lots it takes vectors and gives ids. seconds is that of index_from_dataset, the reading of the data in it."""
        query_model = self.user_model if over == "movies" else None
        if kind == "scann":
            options = {"num_leaves": leaves, "num_leaves_to_search": leavesToSearch, "num_reordering_candidates": reorder}
            layer = layers.ScaNN(query_model, **options)
        else:
            layer = layers.BruteForce(query_model)
        if over == "movies":
            dataset = tf.data.Dataset.zip((self.movies.batch(100), self.movies.batch(100).map(self.movie_model)))
        else:
            dataset = self.lots
            for _ in dataset:
                pass
        seconds, _ = seconds_of(lambda: layer.index_from_dataset(dataset))
        name = name or kind
        self.indexes[name] = layer
        self.evaluators.pop(name, None)
        return {"seconds": seconds, "index": name}

    def query(self, index, raw=None, k=10, repeat=300, graph=False, start=0):
        """Single calls: of the raw user, tower and all, or of the queries in turn. graph: through a tf.function."""
        layer = self.indexes[index]

        def call(queries):
            return layer(queries, k=k)

        if graph:
            call = tf.function(call)
        if raw is not None:
            arguments = [tf.constant([raw])]
        else:
            arguments = [self.queries[(start + i) % len(self.queries)][None] for i in range(min(repeat, 1000))]
        reply = latency(call, arguments, repeat)
        if raw is not None:
            reply["answers"] = [text.decode() for text in call(arguments[0])[1].numpy()[0].tolist()]
        return reply

    def batch(self, index, k=10, answers=None):
        """All queries in one call."""
        layer = self.indexes[index]
        seconds, (scores, ids) = seconds_of(lambda: [part.numpy() for part in layer(self.queries, k=k)])
        # A row with too few results is filled with candidate 0 and the score NaN.
        ids = np.where(np.isnan(scores), -1, ids)
        reply = {"seconds": seconds, "queries": len(ids)}
        if self.truth is not None:
            reply["recall"] = recall_of(ids, self.truth, k)
        if answers is not None:
            np.save(answers, ids.astype(np.int32))
            reply["answers"] = answers
        return reply

    def evaluate(self, over="movies", ids=True):
        """The test set against all candidates, metrics at 1, 5, 10, 50 and 100. over: movies (the tutorial's stream of
        towers), lots (a stream: minutes), or the name of an index over lots. The first call traces the graph.
        ids: whether hits are found by id or, as the tutorial does over movies, by comparing scores."""
        key = over if ids else f"{over} by score"
        if key not in self.evaluators:
            if over == "movies":
                candidates = self.movies.batch(128).cache().map(self.movie_model)
            else:
                candidates = self.lots if over == "lots" else self.indexes[over]
            self.evaluators[key] = TwoTower(self.user_model, self.movie_model, candidates, ids)
            self.evaluators[key].compile()
        seconds, figures = seconds_of(lambda: self.evaluators[key].evaluate(self.test, return_dict=True, verbose=0))
        metrics = {name.split("/")[-1]: float(value) for name, value in figures.items()}
        return {"seconds": seconds, "metrics": metrics}


if __name__ == "__main__":
    serve(Tfrs())
