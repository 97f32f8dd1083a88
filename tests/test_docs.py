"""What the documents say is so: commands exist, links lead somewhere, generated pages are current."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from penstock.cli.registry import NOUNS
from penstock.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/**/*.md"),
        *ROOT.glob("changelog.d/*.md"),
        *ROOT.glob("src/penstock/*/README.md"),
    )
    if "downloaded" not in path.parts
)
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def page_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands_of(text: str) -> list[str]:
    """The lines after `$` of the console blocks, and every `penstock …` or `make …` in backticks, without comments."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        found += [line[2:] for line in block.splitlines() if line.startswith("$ ")]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    found += re.findall(r"`((?:penstock|make) [^`]+)`", prose)
    return [re.sub(r"\s+#.*", "", command).strip() for command in found]


def problem_with(command: str) -> str | None:
    """Why a command of the documents would not be understood; None where it would be."""
    match = re.search(r"(?:^|\(|\s|/)(penstock|make)\s+(.*)", command)
    if match is None:
        return None
    line = match.group(2)
    if command[: match.start(1)].endswith("$("):
        line = line.split(")")[0]
    line, rest = _until_the_shells(line)
    if rest and (problem := problem_with(rest)) is not None:
        return problem
    words = shlex.split(line.replace("|", " | "))
    words = words[: words.index("|")] if "|" in words and match.group(1) == "make" else words
    if match.group(1) == "make":
        targets = [word for word in words if re.fullmatch(r"[a-z-]+", word)]
        return next((f"no target {word}" for word in targets[:1] if word not in MAKE_TARGETS), None)
    return _problem_with_penstock(words)


def _until_the_shells(text: str) -> tuple[str, str]:
    """The command before a `|`, `||` or `&&` that stands alone outside of quotes, and what comes after it.

    `job create|list`, without blanks, is prose: several commands at once.
    """
    for found in re.finditer(r"\s(\|\|?|&&)\s", text):
        before = text[: found.start()]
        if before.count('"') % 2 == 0 and before.count("'") % 2 == 0:
            return before, text[found.end() :]
    return text, ""


def _problem_with_penstock(words: list[str]) -> str | None:
    words = words[1:] if words[:1] == ["ml"] else words
    if not words or words[0].startswith("-") or words[0] == "…":
        return None
    noun = NOUNS.get(words[0])
    if noun is None:
        return f"no command `{words[0]}`"
    if not noun.alone and len(words) == 1:
        return None  # the noun itself is spoken of
    commands = noun.commands()
    name = noun.name if noun.alone else words[1]
    known = {
        flag for command in commands.values() for argument in command.arguments for flag in argument.names
    }
    known |= {
        "--workspace-name",
        "-w",
        "--resource-group",
        "-g",
        "--subscription",
        "--query",
        "--output",
        "-o",
        "--debug",
    }
    if not noun.alone and "|" in words:
        verbs = [word for word in words[1:] if word != "|" and not word.startswith("-")]
        return next((f"`{noun.name}` has no `{verb}`" for verb in verbs if verb not in commands), None)
    if name not in commands:
        return f"`{noun.name}` has no `{name}`"
    unknown = [word for word in words if word.startswith("-") and word.split("=")[0] not in known]
    return f"`{noun.name} {name}` has no flag {unknown[0]}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_in_the_documents_exist(page: Path) -> None:
    """Every `penstock` and `make` command that a page shows is one that the program understands, flags included."""
    wrong = {
        command: problem
        for command in commands_of(page.read_text(encoding="utf-8"))
        if (problem := problem_with(command)) is not None
    }

    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there; its #part names a heading of it."""
    text = page.read_text(encoding="utf-8")
    broken = []
    for target in re.findall(
        r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    ):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, part = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        if not place.exists() or (part and part not in headings_of(place)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_a_test_that_a_page_names_exists(page: Path) -> None:
    """`tests/journeys/test_x.py::test_y`: what the page says is held there."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text(encoding="utf-8"))

    assert [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or f"\ndef {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ] == []


def headings_of(page: Path) -> set[str]:
    """The anchors that a page's headings get on a code host."""
    headings = re.findall(r"^#+\s+(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_setting_is_documented() -> None:
    """The settings page has a row for each entry of the table, and no other."""
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `(PENSTOCK_\w+)` \|", page, re.MULTILINE) == [
        entry.variable for entry in SETTINGS
    ]


def test_every_variable_that_we_read_is_a_setting() -> None:
    """A `PENSTOCK_…` variable in the source that a person may set is in the table."""
    sources = [path for path in (ROOT / "src").rglob("*.py") if path.name != "settings.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    read = set(re.findall(r"setting\(\s*[\"'](PENSTOCK_\w+)[\"']", text))

    assert read <= {entry.variable for entry in SETTINGS}


def test_generated_pages_are_what_the_code_says() -> None:
    """`make docs` would change nothing."""
    command = [sys.executable, str(ROOT / "tools" / "generated-pages"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr


def test_every_document_can_be_reached_from_the_readme() -> None:
    """A page that nothing links to is a page that nobody finds."""
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.is_file():
            continue
        reached.add(page)
        targets = re.findall(r"\]\(([^)#\s]+\.md)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        waiting += [(page.parent / target).resolve() for target in targets if "://" not in target]

    assert [page_id(path) for path in ROOT.glob("docs/**/*.md") if path not in reached] == []


def test_the_documents_name_no_machine() -> None:
    """No page holds a path, host or address of the machine where it was written."""
    machine = re.compile(r"/home/\w+/|/Users/|/root/|(?<!\.)\b10\.\d+\.\d+\.\d+\b|192\.168\.")

    assert [page_id(page) for page in PAGES if machine.search(page.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("fragment", sorted(ROOT.glob("changelog.d/*.md")), ids=page_id)
def test_a_fragment_of_the_changelog_is_plain_lines(fragment: Path) -> None:
    """One sentence or two to a line, without bullets and headings: a release sorts the lines of all fragments."""
    lines = fragment.read_text(encoding="utf-8").splitlines()

    assert lines
    assert [line for line in lines if not re.match(r"[A-Z`]", line)] == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_blocks_of_yaml_and_python_can_be_read(page: Path) -> None:
    """What is shown can be copied: YAML that loads, Python that compiles."""
    text = page.read_text(encoding="utf-8")

    for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yaml.safe_load(block)
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        compile(block, str(page), "exec")
