"""Trains the float model of docs/quantizing_digits.md and picks its samples: the network of the bundled sample model.

Writes docs/digits/: float32.tflite, calibration.npy (100 training images), test.npz (200 test images, their labels).

    pip install tensorflow==2.21.0 scikit-learn
    python scripts/make_digits_tutorial.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from make_digits_sample import EPOCHS, SEED, data, network, tf

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "digits"
CALIBRATION, TEST = 100, 200


def main() -> None:
    """Trains, converts without quantization, and writes the files."""
    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    train, test, train_labels, test_labels = data()
    model = network()
    rate = tf.keras.optimizers.schedules.CosineDecay(5e-3, EPOCHS * -(-len(train) // 32))
    model.compile(tf.keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train, train_labels, batch_size=32, epochs=EPOCHS, verbose=0)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "float32.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    np.save(FOLDER / "calibration.npy", train[:CALIBRATION].astype(np.float32))
    np.savez_compressed(FOLDER / "test.npz", image=test[:TEST], labels=test_labels[:TEST])
    print(f"accuracy on {TEST} test images: {model.evaluate(test[:TEST], test_labels[:TEST], verbose=0)[1]:.3f}")


if __name__ == "__main__":
    main()
