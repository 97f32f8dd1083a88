"""Judge the new model on cases that it has not seen, beside the champion, if there is one."""

import argparse
import json
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score


def judged(model: object, cases: pd.DataFrame) -> dict[str, float]:
    """What the model gets right. Recall counts most: a tumour that is missed is worse than a needless second look."""
    measurements, malignant = cases.drop(columns="malignant"), cases["malignant"]
    found = model.predict(measurements)
    return {
        "roc_auc": float(roc_auc_score(malignant, model.predict_proba(measurements)[:, 1])),
        "recall": float(recall_score(malignant, found)),
        "accuracy": float(accuracy_score(malignant, found)),
    }


def champion_of(name: str) -> "mlflow.entities.model_registry.ModelVersion | None":
    """The version that carries the alias `champion`; None before the first one is registered."""
    try:
        return mlflow.MlflowClient().get_model_version_by_alias(name, "champion")
    except MlflowException:
        return None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--test", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--evaluation", required=True)
    args = parser.parse_args()

    cases = pd.read_csv(args.test)
    metrics = judged(mlflow.sklearn.load_model(args.model), cases)
    mlflow.log_metrics(metrics)
    print("challenger:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))

    verdict = {
        "cases": len(cases),
        "metrics": metrics,
        "promote": True,
        "reason": f"there is no champion of {args.model_name} yet",
    }
    champion = champion_of(args.model_name)
    if champion is not None:
        theirs = judged(mlflow.sklearn.load_model(f"models:/{args.model_name}/{champion.version}"), cases)
        mlflow.log_metrics({f"champion_{name}": value for name, value in theirs.items()})
        print(
            f"champion {args.model_name}:{champion.version}:",
            ", ".join(f"{name} {value:.4f}" for name, value in theirs.items()),
        )
        verdict["champion"] = {"version": champion.version, "metrics": theirs}
        verdict["promote"] = metrics["roc_auc"] >= theirs["roc_auc"]
        verdict["reason"] = (
            f"ROC AUC {metrics['roc_auc']:.4f} against {theirs['roc_auc']:.4f} of version {champion.version}"
        )

    folder = Path(args.evaluation)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(verdict, indent=2))
    print("promote" if verdict["promote"] else "keep the champion", "-", verdict["reason"])


if __name__ == "__main__":
    main()
