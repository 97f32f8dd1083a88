"""The module as a user's interpreter sees it: any Python from 3.7 on, with nothing installed."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import vermin

from penstock import provided
from tests.compute.interpreters import interpreters

FOLDER = Path(provided.__file__).parent
FILES = sorted((FOLDER / "mltable").glob("*.py"))


def said_by(python: Path, code: str, *arguments: object, **variables: str) -> str:
    """What a bare interpreter (no site-packages) prints that has the provided modules on its path."""
    start = f"import sys; sys.dont_write_bytecode = True; sys.path.append({str(FOLDER)!r})\n"
    done = subprocess.run(
        [python, "-I", "-S", "-W", "error", "-c", start + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_written_in_the_language_and_library_of_python_3_7(file: Path) -> None:
    """At its import the standard library alone; what the environment must bring is imported when it is needed."""
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 7))

    wanted = vermin.visit(text, vermin.Config()).minimum_versions()
    at_import = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    foreign = [
        node
        for node in at_import
        if not (isinstance(node, ast.ImportFrom) and node.level)
        and (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        not in sys.stdlib_module_names
    ]

    assert wanted[1] is None or wanted[1] <= (3, 7)
    assert foreign == []


@pytest.mark.parametrize("python", interpreters(), ids=str)
def test_a_table_is_made_saved_and_loaded_without_any_package(python: Path, tmp_path: Path) -> None:
    """Neither pandas nor PyYAML is asked for before a DataFrame is; then pandas is named as a conda file has it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("x,y\n1,2\n")
    code = """
import os
os.chdir(sys.argv[1])
import mltable
from mltable import DataType, MLTableHeaders, MLTableFileEncoding
table = mltable.from_delimited_files(
    [{"pattern": "./data/**/*.csv"}], header=MLTableHeaders.all_files_same_headers, encoding=MLTableFileEncoding.utf8
)
table = table.convert_column_types({"x": DataType.to_float(), ("y",): DataType.to_datetime(["%Y", "%d/%m: %Y"])})
table = table.filter('col("x") > 3 and not col("y") == "#"').keep_columns(["x", "y"]).take(3)
table.save("out")
again = mltable.load("out")
assert [os.path.relpath(file) for file in again.files()] == ["data/a.csv"], again.files()
assert again._document["transformations"] == table._document["transformations"], again
try:
    again.to_pandas_dataframe()
except mltable.MLTableError as error:
    print(error)
assert "pandas" not in sys.modules and "yaml" not in sys.modules
"""

    said = said_by(python, code, tmp_path)

    assert "the package `pandas`" in said
    assert "add `pandas` to the dependencies of its conda file" in said


def test_a_yaml_text_means_the_same_with_and_without_pyyaml(tmp_path: Path) -> None:
    """Read by the small reader on a bare interpreter and by PyYAML here."""
    import yaml

    text = (
        """%YAML 1.1
---
# a comment
$schema: https://azuremlschemas.azureedge.net/latest/MLTable.schema.json
type: mltable   # another
paths:
  - file: ./a # b.csv
  - pattern: "./*.{csv}"
  -   folder: 'it''s/#here'
transformations:
- read_delimited:
    delimiter: '\t'
    header: all_files_same_headers
    empty_as_string: no
    infer_column_types: {sample_size: 50, column_type_overrides: {a: string, "b c": float}}
- keep_columns: [a, 'b', "c\\u00e4\\n",
                 d]
- filter: 'col("a") > 3 and col("b") == "x: y"'
- take_random_sample:
    probability: 0.5
    seed: 1_000
- convert_column_types:
    - columns: [x]
      column_type:
        datetime:
          formats:
            - "%d/%m/%Y"
            - '%H:%M'
    -
      columns: y
      column_type: {boolean: {true_values: ["yes"], false_values: ["no"], mismatch_as: error}}
- extract_columns_from_partition_format: /{a}/{b:yyyy/MM/dd}/x.csv
- skip: -3
- numbers: [1, +2, 1.5, 1e5, 1.5e+3, .5, 0, 007, ~, null, true, off]
- empty:
- nested:
  - - 1
    - 2
  - {}
  - []
""".replace("1e5, ", "")
        .replace("007, ", "")
        .replace("\t", "\\t")
    )
    (tmp_path / "text").write_text(text)
    code = """
import json, mltable.yaml_text as y
print(json.dumps(y.read_subset(open(sys.argv[1]).read(), "T")))
"""

    said = said_by(Path(sys.executable), code, tmp_path / "text")

    assert json.loads(said) == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\na: 2", "T:2: key `a` is given twice"),
        ("a:\n\t- b", "T:2: a tab indents the line"),
        ("a: &x 1", "T:1: `&` begins something"),
        ("a: !!int 1", "T:1: `!` begins something"),
        ("a: |\n  b", "T:1: `|` begins something"),
        ("a: [1, 2", "T:1: `[` is not closed"),
        ("a: 'b", "T:1: a text in quotes is not closed"),
        ("a: 1\n  b: 2", "T:2: this line is indented unlike"),
        ("a: 1\nb", "T:2: `b` is no `key: value`"),
        ("a: b: c", "T:1: `b: c` holds `: `"),
    ],
)
def test_what_the_small_reader_does_not_read_it_refuses_with_its_line(text: str, says: str) -> None:
    """Never another meaning than PyYAML's."""
    from penstock.provided.mltable import MLTableError
    from penstock.provided.mltable.yaml_text import read_subset

    with pytest.raises(MLTableError) as found:
        read_subset(text, "T")

    assert says in str(found.value)
