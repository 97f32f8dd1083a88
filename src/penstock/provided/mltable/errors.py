"""What can go wrong with a table, said to the person who runs the script."""


class MLTableError(ValueError):
    """A table that cannot be read, written or changed as asked. The text says what, where, and what to do."""


class MissingPackage(MLTableError, ImportError):
    """A package that the environment lacks; the text names it as it goes into a conda file."""


def missing_package(name, what):
    # type: (str, str) -> MissingPackage
    """The error for a package that `what` needs."""
    return MissingPackage(
        "{} needs the package `{}`, which this environment does not have; "
        "add `{}` to the dependencies of its conda file".format(what, name, name)
    )
