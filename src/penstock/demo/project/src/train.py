"""Train a classifier and save it as an MLflow model."""

import argparse

import mlflow
import pandas as pd
import sklearn
import skops
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", required=True)
    parser.add_argument("--regularization", type=float, required=True)
    parser.add_argument("--model", required=True)
    args = parser.parse_args()

    cases = pd.read_csv(args.train)
    measurements, malignant = cases.drop(columns="malignant"), cases["malignant"]

    model = make_pipeline(StandardScaler(), LogisticRegression(C=1 / args.regularization, max_iter=1000))
    scores = cross_val_score(model, measurements, malignant, cv=5, scoring="roc_auc")
    model.fit(measurements, malignant)

    mlflow.log_params({"regularization": args.regularization, "measurements": measurements.shape[1]})
    mlflow.log_metric("cross_validated_roc_auc", scores.mean())
    mlflow.sklearn.save_model(
        model,
        args.model,
        signature=infer_signature(measurements, model.predict(measurements)),
        pip_requirements=[f"scikit-learn=={sklearn.__version__}", f"skops=={skops.__version__}"],
    )
    print(f"ROC AUC over five folds: {scores.mean():.4f} (from {scores.min():.4f} to {scores.max():.4f})")


if __name__ == "__main__":
    main()
