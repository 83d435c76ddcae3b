"""Few positives in a table of mixed columns, as in churn: do generated rows help?

    python rare_customers.py

Adults under 30 of the bundled table, of whom one in twenty earns more than 50K. Boosted trees are
scored by cross-validation with each method; generators are fitted inside each fold.
"""

from __future__ import annotations

import argparse

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from synthgen import GANSynthesizer, datasets
from synthgen.augment import augmentation_report


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=3_000)
    parser.add_argument("--steps", type=int, default=400, help="training steps of each generator")
    options = parser.parse_args()

    people = datasets.load_adult("train")
    young = people[people["age"] < 30].head(options.rows)
    X, y = young.drop(columns="income"), young["income"]
    print(f"{len(y):,} rows, {(y == '>50K').mean():.1%} positive\n")

    numbers = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encode = make_column_transformer(
        (numbers, make_column_selector(dtype_exclude="number")), remainder="passthrough"
    )
    model = make_pipeline(encode, HistGradientBoostingClassifier(max_iter=60, random_state=0))
    generator = GANSynthesizer(max_steps=options.steps)
    print(
        augmentation_report(
            X, y, model, synthesizer=generator, n_splits=3, n_repeats=1, random_state=0
        )
    )


if __name__ == "__main__":
    main()
