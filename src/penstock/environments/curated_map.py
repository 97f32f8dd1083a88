"""A user's own word on curated names: a YAML file `curated name: environment file, or reference into the workspace`.

It is named by PENSTOCK_ENVIRONMENT_MAP or by a workspace's `settings.environment_map`, and counts before the tables:
for names that they do not hold, and for those that somebody wants otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penstock.environments.curated import key_of
from penstock.errors import PenstockError
from penstock.resources.reading import load_yaml

_FORM = (
    "a map has lines such as `sklearn-1.4: ./environments/sklearn.yml` and `sklearn-1.3: azureml:ours@latest`"
)


@dataclass(frozen=True)
class EnvironmentMap:
    """What names stand for. `file` is None where there is no map."""

    file: Path | None = None
    targets: Mapping[str, str] = field(default_factory=dict)

    def target_of(self, name: str) -> Path | str | None:
        """An environment file, a reference that begins with `azureml:`, or None for a name that is not mapped."""
        target = self.targets.get(key_of(name))
        if target is None or self.file is None or target.startswith("azureml:"):
            return target
        return self.file.parent / Path(target.removeprefix("file:")).expanduser()


def read_environment_map(path: str | None) -> EnvironmentMap:
    """The map of a setting. Raises PenstockError that names the file where it cannot be read or says something else."""
    if not path:
        return EnvironmentMap()
    file = Path(path)
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise PenstockError(f"the map of environments {file} cannot be read: {reason}", hint=_HINT) from error
    content = load_yaml(text, name=str(file))
    if content is None:
        return EnvironmentMap(file)
    if not isinstance(content, Mapping):
        raise PenstockError(f"{file} must hold a mapping of names", hint=_FORM)
    for name, target in content.items():
        if not isinstance(target, str) or not target.strip():
            raise PenstockError(
                f"{file}: `{name}` must stand for a path or a reference, got {target!r}", hint=_FORM
            )
    return EnvironmentMap(file, {key_of(str(name)): target.strip() for name, target in content.items()})


_HINT = "correct PENSTOCK_ENVIRONMENT_MAP or the workspace's `settings.environment_map`"
