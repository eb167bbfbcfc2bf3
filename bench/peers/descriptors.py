"""Makes SIFT descriptors from the photographs that scikit-image and scikit-learn ship, for the benchmark of squared distances.

    echo '{"do": "prepare", "to": "/tmp/sift"}' | python descriptors.py

writes base.npy [rows, 128] from the pictures of scikit-image, and queries.npy [queries, 128] from those of scikit-learn, so
that no query is from a picture of the base. Each picture is used as it is and at twice its size. Speaks the protocol of
protocol.py.
"""

import os

import cv2
import numpy as np
import skimage
import sklearn

from protocol import serve

BASE = (
    "astronaut.png brick.png camera.png chelsea.png coffee.png coins.png grass.png gravel.png hubble_deep_field.jpg "
    "ihc.png moon.png motorcycle_left.png retina.jpg rocket.jpg"
).split()
QUERIES = ["china.jpg", "flower.jpg"]


def describe(folder, names):
    sift = cv2.SIFT_create(nfeatures=0, contrastThreshold=0.0, edgeThreshold=1e6)
    found = []
    for name in names:
        picture = cv2.imread(os.path.join(folder, name), cv2.IMREAD_GRAYSCALE)
        for scale in (1, 2):
            scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            found.append(sift.detectAndCompute(scaled, None)[1])
    return np.unique(np.concatenate(found), axis=0)


class Descriptors:
    def prepare(self, to, rows=120_000, queries=1_000):
        random = np.random.default_rng(0)
        package = os.path.dirname
        base = describe(os.path.join(package(skimage.__file__), "data"), BASE)
        asked = describe(os.path.join(package(sklearn.__file__), "datasets", "images"), QUERIES)
        os.makedirs(to, exist_ok=True)
        for name, all_rows, count in (("base", base, rows), ("queries", asked, queries)):
            chosen = np.sort(random.permutation(len(all_rows))[:count])
            np.save(os.path.join(to, f"{name}.npy"), all_rows[chosen].astype(np.float32))
        return {"rows": min(rows, len(base)), "queries": min(queries, len(asked))}


if __name__ == "__main__":
    serve(Descriptors())
