"""Which step reads from which, and whether they go round in a circle."""

from collections.abc import Iterator, Mapping

from penstock.resources.expressions import BadExpression, expressions_in
from penstock.resources.raw_pipeline import RawPipeline, texts_of_input


def needs_of(pipeline: RawPipeline) -> dict[str, tuple[str, ...]]:
    """For each step, in the order of the file, the steps whose outputs it reads."""
    return {
        key: tuple(
            dict.fromkeys(need for value in step.inputs.values() for need in _steps_behind(value, pipeline))
        )
        for key, step in pipeline.steps.items()
    }


def cycles_in(needs: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Each circle once, as its steps in the order of reading: `("a", "b")` says that a reads from b and b from a."""
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        yield from _walk(start, needs, path, done)


def _walk(
    start: str, needs: Mapping[str, tuple[str, ...]], path: list[str], done: set[str]
) -> Iterator[tuple[str, ...]]:
    # A stack of our own: a pipeline of a thousand steps in a row is deeper than Python's.
    stack: list[Iterator[str]] = [iter((start,))]
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
            if path:
                done.add(path.pop())
        elif step in path:
            yield tuple(path[path.index(step) :])
        elif step not in done:
            path.append(step)
            stack.append(iter(needs.get(step, ())))


def _steps_behind(
    value: object, pipeline: RawPipeline, seen: frozenset[tuple[str, str]] = frozenset()
) -> Iterator[str]:
    """The steps whose outputs an input reads, also by way of other steps' inputs."""
    for _, text in texts_of_input("", value):
        try:
            found = expressions_in(text) if "${{" in text else ()
        except BadExpression:
            continue  # reported where the input is checked
        for each in found:
            if each.scope != "parent.jobs" or each.path[0] not in pipeline.steps:
                continue
            key, side, port = each.path[0], each.path[1], ".".join(each.path[2:])
            if (
                side == "outputs" or (key, port) in seen
            ):  # an input that leads back to itself is a circle as well
                yield key
            else:
                yield from _steps_behind(pipeline.steps[key].inputs.get(port), pipeline, seen | {(key, port)})
