"""Data is checked against what is expected of it, from the command line and from Python, with exit codes for CI."""

import json
from pathlib import Path

import pytest

from tests.journeys.person import Person

pytestmark = pytest.mark.slow

RIDES = "fare,payment\n" + "".join(f"{n % 40 + 1},{n % 3}\n" for n in range(2000))


@pytest.fixture(autouse=True)
def files(person: Person) -> None:
    """The data's file, its expectations beside it, and rides."""
    (person.folder / "rides.csv").write_text(RIDES)
    (person.folder / "rides.yml").write_text("name: rides\ntype: uri_file\npath: rides.csv\n")
    (person.folder / "rides.expectations.yml").write_text(
        "data: azureml:rides@latest\nrows: {min: 1000}\ncolumns:\n  fare: {type: number, nulls: 0, min: 0}\n"
        "  payment:\n    allowed: [0, 1, 2]\n    mean: {max: 5, severity: warning}\n"
    )


def test_data_is_checked_before_and_after_it_is_registered(person: Person) -> None:
    """By its path; as a version whose expectations are beside its file; as the next version, which shifted."""
    by_path = person.types(
        "penstock", "data", "validate", "--path", "rides.csv", "-f", "rides.expectations.yml"
    )
    person.types("penstock", "data", "create", "-f", "rides.yml")
    good = person.types("penstock", "data", "validate", "-n", "rides")
    shifted = RIDES.replace("\n7,", "\n-7,").replace(",2\n", ",20\n")
    (person.folder / "rides.csv").write_text(shifted)
    person.types("penstock", "data", "create", "-n", "rides", "-t", "uri_file", "-p", "rides.csv")
    bad = person.types("penstock", "data", "validate", "-f", "rides.expectations.yml", expect=1)

    assert "rides.csv meets its expectations: 8 of 8 passed (2,000 rows, 2 columns)" in by_path.stdout
    assert good.stdout == "rides:1 meets its expectations: 8 of 8 passed (2,000 rows, 2 columns)\n"
    lines = bad.stdout.splitlines()
    assert lines[0] == (
        "failed     fare.min         expected at least 0; smallest -7; 50 of 2,000 rows fail (2.5%): row 7 has -7, row 47 has -7,"
        " row 87 has -7, row 127 has -7, row 167 has -7  (rides.expectations.yml:4)"
    )
    assert lines[1].startswith(
        "failed     payment.allowed  expected one of 0, 1, 2; 666 of 2,000 rows fail (33.3%): row 3 has 20,"
    )
    assert (
        lines[2] == "warning    payment.mean     expected mean at most 5; 6.9935  (rides.expectations.yml:7)"
    )
    assert (
        lines[3]
        == "rides:2 does not meet its expectations: 2 failed, 1 warning, 5 of 8 passed (2,000 rows, 2 columns)"
    )
    shown = json.loads(person.types("penstock", "data", "show", "-n", "rides", "-v", "2").stdout)
    assert shown["last_validation"]["passed"] is False


def test_exit_codes_and_formats_are_those_of_a_script(person: Person) -> None:
    """Warnings pass; a file that cannot be understood is neither; what fails can be asked for; a page can be kept."""
    person.types("penstock", "data", "create", "-f", "rides.yml", "--version", "10")
    warned = person.types(
        "penstock", "data", "validate", "-n", "rides", "-v", "10", "-f", "rides.expectations.yml",
        "--set", "columns.payment.mean.max=0", "--report", "report.html",
    )  # fmt: skip
    names = person.types(
        "penstock", "data", "validate", "-n", "rides", "-v", "10", "--query", "results[?status=='passed'] | [0].name", "-o", "tsv",
    )  # fmt: skip
    unclear = person.types(
        "penstock",
        "data",
        "validate",
        "-n",
        "rides",
        "-f",
        "rides.expectations.yml",
        "--set",
        "rows.mim=1",
        expect=2,
    )
    hidden = person.types(
        "penstock", "data", "validate", "-n", "rides", "-v", "10", "-f", "rides.expectations.yml", "--no-examples",
        "--set", "columns.fare.min=10", expect=1,
    )  # fmt: skip
    neither = person.types("penstock", "data", "validate", expect=2)

    assert warned.stdout.splitlines()[0].startswith("warning    payment.mean  expected mean at most 0")
    assert names.stdout == "rows\n"
    assert "--set rows.mim=1" in unclear.stderr
    assert "did you mean `min`?" in unclear.stderr
    assert " has " not in hidden.stdout
    assert "--name/-n" in neither.stderr
    page = (person.folder / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "rides:10 meets its expectations" in page


def test_python_asks_the_same(person: Person) -> None:
    """A notebook hands over a file, or a mapping."""
    script = Path(person.folder / "ask.py")
    script.write_text(
        "from penstock import Client, Data\n"
        "client = Client(quiet=True)\n"
        "made = client.data.create(Data(name='sdk', type='uri_file', path='rides.csv', expectations={'rows': 2000}))\n"
        "own = client.data.validate('sdk')\n"
        "file = client.data.validate('sdk', expectations='rides.expectations.yml', examples=1)\n"
        "other = client.data.validate(path='rides.csv', expectations={'columns': {'fare': {'max': 3}}})\n"
        "print(own['passed'], file['passed'], other['passed'], len(other['results'][2]['examples']))\n"
        "print([result['line'] for result in file['results'] if result['name'] == 'fare.min'])\n"
    )

    said = person.types("python", script)

    assert said.stdout == "True True False 5\n[4]\n"
