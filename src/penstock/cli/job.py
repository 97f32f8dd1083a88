"""`penstock job`: run, follow, cancel and download jobs."""

from pathlib import Path

from penstock.cli import flags, update_flags
from penstock.cli.grammar import Argument, Command, Example, whole_number
from penstock.cli.invocation import Invocation, Outcome, write_error
from penstock.cli.job_difference import SHOW_DIFF
from penstock.errors import NotFound, PenstockError, UsageError

_LIST_LIMIT = 50
# As `jobs.statuses` has them, which is no import of a command line.
_STATUSES = (
    "NotStarted", "Preparing", "Queued", "Starting", "Running", "Finalizing", "CancelRequested", "Completed", "Failed",
    "Canceled",
)  # fmt: skip

_WEB = Argument(("--web", "-e"), "Open the job's page in a browser, and print its address.", takes="nothing")


def _create(invocation: Invocation) -> object:
    from penstock.cli.documents import document_of, show_warnings

    arguments = invocation.arguments
    if arguments.stream and arguments.no_wait:
        raise UsageError("--stream and --no-wait exclude each other")
    document = document_of(
        invocation,
        "job",
        {
            "name": arguments.name,
            "description": arguments.description,
            "tags": flags.pairs_of(arguments.tags),
        },
    )
    if arguments.dry_run:
        from penstock.cli.job_plan import show_plan

        return show_plan(invocation, document, experiment_of(Path.cwd()))
    jobs = invocation.client.jobs
    made = jobs.create(document, default_experiment=experiment_of(Path.cwd()))
    show_warnings(invocation, made.warnings)
    record = made.record
    name = str(record["name"])
    if arguments.save_as:
        _save(record, Path(arguments.save_as))
    if arguments.web:
        _open_page(invocation, record)
    if arguments.stream:
        from penstock.cli.following import follow

        follow(invocation, name, to_stdout=False, record=record, document=document)
        record = jobs.show(name)
    return record


def experiment_of(folder: Path) -> str:
    """The experiment of a job that names none: the folder's name up to its last dot, without blanks."""
    return folder.resolve().stem.replace(" ", "") or "Default"


def _validate(invocation: Invocation) -> object:
    from penstock.cli.documents import document_of

    document = document_of(invocation, "job", {"name": invocation.arguments.name})
    result = invocation.client.jobs.validate(document)
    return Outcome(result, exit_code=0 if result.get("result") == "Succeeded" else 1)


def _list(invocation: Invocation) -> object:
    arguments = invocation.arguments
    flags.refuse_both_archived(arguments.include_archived, arguments.archived_only)
    most = _LIST_LIMIT if arguments.max_results is None else arguments.max_results
    found = invocation.client.jobs.list(
        parent_job_name=arguments.parent_job_name,
        max_results=None if arguments.all_results else most,
        all_results=bool(arguments.all_results),
        tag=arguments.tag,
        status=arguments.status,
        include_archived=arguments.include_archived,
        archived_only=arguments.archived_only,
    )
    if not arguments.all_results and arguments.max_results is None and len(found) == most:
        invocation.warn(f"only the newest {most} are listed; --max-results or --all-results lists more")
    return found


def _show(invocation: Invocation) -> object:
    record = _found(invocation)
    if invocation.arguments.web:
        _open_page(invocation, record)
    return record


def _show_services(invocation: Invocation) -> object:
    record, node = _found(invocation), invocation.arguments.node_index
    return invocation.client.jobs.show_services(str(record["name"]), node or 0)


def _stream(invocation: Invocation) -> None:
    from penstock.cli.following import follow

    record = _found(invocation)
    follow(invocation, str(record["name"]), to_stdout=True, record=record)


def _cancel(invocation: Invocation) -> None:
    from penstock.client.jobs import TERMINAL

    record = _found(invocation)
    name, status = str(record["name"]), str(record["status"])
    invocation.client.jobs.cancel(name)
    if status in TERMINAL:
        invocation.say(f"job `{name}` had ended already: {status}")
        return
    invocation.say(
        f"asked job `{name}` to stop; `penstock job show -n {name} --query status -o tsv` says when it has"
    )


def _update(invocation: Invocation) -> object:
    changes = update_flags.changes_of(invocation, hint="for example: --set display_name='second try'")
    record = _found(invocation)
    record = invocation.client.jobs.update(str(record["name"]), changes)
    if invocation.arguments.web:
        _open_page(invocation, record)
    return record


def _archive(invocation: Invocation) -> None:
    invocation.client.jobs.archive(str(_found(invocation)["name"]))


def _restore(invocation: Invocation) -> None:
    invocation.client.jobs.restore(str(_found(invocation)["name"]))


def _download(invocation: Invocation) -> None:
    from penstock.client.jobs import TERMINAL

    arguments = invocation.arguments
    if arguments.all and arguments.output_name:
        raise UsageError("--all and --output-name exclude each other")
    record = _found(invocation)
    name, status = str(record["name"]), str(record["status"])
    if status not in TERMINAL:
        raise PenstockError(
            f"job `{name}` is {status}: its files can be downloaded when it has ended",
            hint=f"wait for it: penstock job stream -n {name}",
        )
    folder = Path(arguments.download_path or ".")
    written = invocation.client.jobs.download(
        name, folder, output_name=arguments.output_name, all_outputs=arguments.all
    )
    invocation.say(
        f"downloaded {len(written)} file{'s' if len(written) != 1 else ''} of job `{name}` to {folder}"
    )


def _found(invocation: Invocation) -> dict[str, object]:
    """The job that --name names; the nearest name where there is none."""
    from penstock.cli.documents import named

    jobs, name = invocation.client.jobs, invocation.arguments.name
    try:
        return jobs.show(name)
    except NotFound as error:
        known = (str(row["name"]) for row in jobs.list(max_results=_LIST_LIMIT))
        raise named(error, "job", name, known) from error


def _save(record: dict[str, object], path: Path) -> None:
    from penstock.cli.render import render

    part = path.with_name(path.name + ".part")
    try:
        part.write_text(render(record, "yaml"), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise PenstockError(
            f"the job was created; its YAML could not be written to {path}: {error.strerror}",
            hint=f"penstock job show -n {record['name']} -o yaml",
        ) from error


def _open_page(invocation: Invocation, record: dict[str, object]) -> None:
    from urllib.parse import urlsplit

    from penstock.cli.browser import open_page
    from penstock.client.progress import web_view_of

    page = urlsplit(web_view_of(record))
    target = page.path + (f"#{page.fragment}" if page.fragment else "")
    url = invocation.client.server.link(target or "/")
    # Asked for by a flag: --only-show-errors does not silence it.
    write_error(f"{url}\n")
    open_page(url)


COMMANDS = (
    Command(
        name="create",
        summary="Run a job.",
        description=(
            "Checks the file, copies the code and local inputs that it names, and starts the job; prints the job at once."
            " With --stream it follows the job to its end first, and a job that fails makes the command fail."
        ),
        arguments=(
            flags.FILE_REQUIRED,
            Argument(
                ("--name", "-n"), "Name of the job; counts before the file's. One is made up when left out."
            ),
            flags.SET,
            Argument(("--stream", "-s"), "Follow the job until it ends.", takes="nothing"),
            _WEB,
            Argument(("--save-as", "-a"), "Write the created job's YAML to this file.", metavar="FILE"),
            flags.DESCRIPTION,
            flags.TAGS,
            Argument(
                ("--skip-validation",), "Accepted; a job that is not valid cannot run.", takes="nothing"
            ),
            Argument(("--no-wait",), "Accepted; without --stream the command never waits.", takes="nothing"),
            Argument(
                ("--dry-run",),
                "Print what would run, step by step, and create nothing; exit code 1 where the job is refused.",
                takes="nothing",
            ),
            flags.RELAX,
        ),
        examples=(
            Example("run a pipeline and follow it", "penstock job create -f pipeline.yml --stream"),
            Example(
                "keep its name, as CI does",
                "run_id=$(penstock job create -f pipeline.yml --query name -o tsv)",
            ),
            Example("what would it do?", "penstock job create -f pipeline.yml --dry-run -o table"),
            Example(
                "with other inputs",
                "penstock job create -f pipeline.yml --set inputs.rate=0.1 settings.force_rerun=true",
            ),
            Example(
                "although its packages are of another year", "penstock job create -f pipeline.yml --relax"
            ),
        ),
        run=_create,
    ),
    Command(
        name="validate",
        summary="Check a job's file without running it; exit code 1 where something is wrong.",
        arguments=(
            flags.FILE_REQUIRED,
            Argument(("--name", "-n"), "Name of the job; counts before the file's."),
            flags.SET,
            flags.RELAX,
        ),
        examples=(
            Example("everything that is wrong", "penstock job validate -f pipeline.yml"),
            Example("a table of it", 'penstock job validate -f pipeline.yml --query "errors" -o table'),
        ),
        run=_validate,
    ),
    Command(
        name="list",
        summary="List jobs, newest first.",
        arguments=(
            Argument(("--parent-job-name", "-p"), "The steps of this pipeline.", metavar="NAME"),
            Argument(
                flags.MAX_RESULTS.names,
                "At most this many.",
                convert=flags.MAX_RESULTS.convert,
                metavar="NUMBER",
                default="50",
            ),
            Argument(("--all-results",), "All of them.", takes="truth"),
            flags.TAG,
            Argument(("--status",), "Only jobs with this status.", choices=_STATUSES, metavar="STATUS"),
            flags.INCLUDE_ARCHIVED,
            flags.ARCHIVED_ONLY,
        ),
        examples=(
            Example(
                "what ran last?", 'penstock job list -r 10 --query "[].{Name:name,Status:status}" -o table'
            ),
            Example("the steps of a pipeline", "penstock job list -p happy_frog -o table"),
        ),
        run=_list,
    ),
    Command(
        name="show",
        summary="Show a job.",
        arguments=(flags.name_of("job"), _WEB),
        examples=(
            Example("all of it", "penstock job show -n happy_frog"),
            Example("only its status, for a script", "penstock job show -n happy_frog --query status -o tsv"),
        ),
        run=_show,
    ),
    Command(
        name="show-services",
        summary="Show what a job offers while it runs, with its addresses.",
        arguments=(
            flags.name_of("job"),
            Argument(
                ("--node-index", "-i"),
                "Of which of its instances, counted from 0.",
                convert=whole_number,
                metavar="NUMBER",
                default="0",
            ),
        ),
        examples=(
            Example("of the first instance", "penstock job show-services -n happy_frog"),
            Example(
                "one address",
                "penstock job show-services -n happy_frog --query my_app.endpoint -o tsv",
            ),
        ),
        run=_show_services,
    ),
    Command(
        name="stream",
        summary="Follow a job until it ends; exit code 1 where it fails.",
        description="Ctrl-C ends the following, not the job.",
        arguments=(flags.name_of("job"),),
        examples=(Example("follow a job", "penstock job stream -n happy_frog"),),
        run=_stream,
    ),
    Command(
        name="cancel",
        summary="Stop a job with all its steps and their processes.",
        arguments=(flags.name_of("job"),),
        examples=(Example("stop a job", "penstock job cancel -n happy_frog"),),
        run=_cancel,
    ),
    Command(
        name="update",
        summary="Change a job's display name, description, tags or properties.",
        description="Nothing else of a job can be changed. Properties are only ever added.",
        arguments=(flags.name_of("job"), *update_flags.ARGUMENTS, _WEB),
        examples=(
            Example("a tag", "penstock job update -n happy_frog --set tags.checked=yes"),
            Example(
                "another name to show", "penstock job update -n happy_frog --set display_name='second try'"
            ),
        ),
        run=_update,
    ),
    Command(
        name="archive",
        summary="Hide a job that has ended from lists.",
        description="It can be shown and downloaded, and its outputs used, as before. A pipeline's steps follow it.",
        arguments=(flags.name_of("job"),),
        examples=(Example("hide a job", "penstock job archive -n happy_frog"),),
        run=_archive,
    ),
    Command(
        name="restore",
        summary="Show an archived job in lists again.",
        arguments=(flags.name_of("job"),),
        examples=(Example("show it again", "penstock job restore -n happy_frog"),),
        run=_restore,
    ),
    Command(
        name="download",
        summary="Download the files of an ended job.",
        description=(
            "Writes `artifacts/...`: logs, what the job left in its folder `outputs`, and what it logged through MLflow. With --all also every named output"
            " as `named-outputs/<name>/...`; with --output-name only that one."
        ),
        arguments=(
            flags.name_of("job"),
            Argument(("--all",), "All named outputs as well.", takes="nothing"),
            Argument(("--output-name",), "Only this named output.", metavar="NAME"),
            Argument(("--download-path", "-p"), "Folder to write into.", metavar="FOLDER", default="."),
        ),
        examples=(
            Example("everything", "penstock job download -n happy_frog --all -p results"),
            Example("one output", "penstock job download -n happy_frog --output-name model"),
        ),
        run=_download,
    ),
    SHOW_DIFF,
)
