"""The name that this program goes by: `penstock`, or `az` where the shim runs it.

Texts are written once, with `penstock` in them. Under the other name the commands that Azure's command line has too are spelled as
it spells them: `penstock job show` is `az ml job show`, and `penstock check`, which is ours alone, stays what it is.
"""

import re

# What is typed after `az ml` as it is after `penstock`; NOUN stands in usage lines.
_OF_AZ_ML = "NOUN|workspace|registry|environment|data|datastore|model|component|compute|job|--help"
_SPOKEN_OTHERWISE = re.compile(rf"(?<![\w/.-])penstock (?=(?:{_OF_AZ_ML})(?![\w-]))")
_CONFIGURE = re.compile(r"(?<![\w/.-])penstock configure(?![\w-])")

# A process has one name, as it has one `sys.argv[0]`; whoever starts the program under another one says so first.
_NAME = {"now": "penstock"}


def speak_as_az() -> None:
    """From now on texts say `az ml job` where they would say `penstock job`."""
    _NAME["now"] = "az"


def speak_as_penstock() -> None:
    """As it is without being told."""
    _NAME["now"] = "penstock"


def speaks_as_az() -> bool:
    """Whether this process was started as `az`."""
    return _NAME["now"] == "az"


def spoken(text: str) -> str:
    """A text for people, with commands as they are typed under the program's name. For talk and help, never for a result."""
    if not speaks_as_az() or "penstock " not in text:
        return text
    text = text.replace("is not a penstock command", "is not a command of `az ml`")
    return _CONFIGURE.sub("az configure", _SPOKEN_OTHERWISE.sub("az ml ", text))
