"""MLflow's pages in a real browser, through the loopback port, from a one-time link on."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from penstock.identity.tokens import Caller
from penstock.tracking.models import Models
from penstock.tracking.pages import first_page, nothing_there
from penstock.tracking.rest import MlflowRest
from penstock.tracking.runs import Runs
from tests.tracking.conftest import Port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HERE = "pages"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class Watched:
    """A page, and whatever went wrong on it."""

    page: "Page"
    wrong: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """A headless browser."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def browser(chromium: "Browser") -> Iterator[Watched]:
    """A page that has never been anywhere; every failed request and every error on the console is written down."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(60_000)
    watched = Watched(page)
    page.on("console", lambda said: watched.wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: watched.wrong.append(str(error)))
    page.on("requestfailed", lambda asked: watched.wrong.append(f"{asked.url} {asked.failure}"))
    page.on(
        "response", lambda got: watched.wrong.append(f"{got.status} {got.url}") if got.status >= 400 else None
    )
    yield watched
    page.close()


@pytest.mark.slow
def test_the_pages_show_a_workspaces_runs_and_models(
    browser: Watched, port: Port, rest: MlflowRest, runs: Runs, tmp_path: Path
) -> None:
    """From the link to experiments, runs, charts, artifacts and models, with not one failed request."""
    experiment = runs.experiment_id(HERE, "taxi fares")
    run = runs.start_run(HERE, experiment, "calm-river-run")
    for step in range(3):
        runs.log_metrics(HERE, run, {"mse": 3.0 - step}, at=time.time(), step=step)
    runs.end_run(HERE, run, "FINISHED", time.time())
    (tmp_path / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: x\n")
    Models(rest).create(
        HERE,
        "taxi-model",
        None,
        tmp_path / "MLmodel",
        type="mlflow_model",
        description="predicts fares",
        run_id=run,
    )
    code = port.links.issue(Caller("owner"), f"/mlflow/{HERE}/#/experiments/{experiment}/runs", time.time())
    page, base = browser.page, f"{port.url}/mlflow/{HERE}/"

    page.goto(f"{port.url}/link/{code}")
    page.get_by_text("calm-river-run").first.wait_for()
    assert not page.get_by_text("MLflow Assistant").first.is_visible()
    page.goto(f"{base}#/experiments")
    page.get_by_text("taxi fares").first.wait_for()
    page.goto(f"{base}#/experiments/{experiment}/runs/{run}/model-metrics")
    page.get_by_text("mse").first.wait_for()
    page.goto(f"{base}#/models")
    page.get_by_text("taxi-model").first.wait_for()
    page.goto(f"{base}#/models/taxi-model/versions/1")
    page.get_by_text("predicts fares").first.wait_for()
    page.wait_for_load_state("load")

    assert browser.wrong == []


@pytest.mark.slow
def test_reliability_13_a_runs_name_is_no_script(browser: Watched, port: Port, runs: Runs) -> None:
    """Nor are its tags, parameters and notes; a page among its artifacts runs in a box of its own."""
    script = "<img src=x onerror='document.title=\"taken\"'>"
    experiment = runs.experiment_id(HERE, f"e {script}")
    tags = {"mlflow.note.content": f"{script} [x](javascript:document.title='taken')", "tag": script}
    run = runs.start_run(HERE, experiment, script, tags)
    runs.log_params(HERE, run, {"p": script})
    html = (
        "<p id=p></p><script>p.innerText='its own script ran';"
        "try { parent.document.title = 'taken'; fetch('/') } catch (e) {}</script>"
    )
    upload = f"{port.tracking_uri(HERE)}/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=page.html"
    token = {"authorization": f"Bearer {port.token(Caller('job', HERE, 'j'))}"}
    assert httpx.post(upload, content=html.encode(), headers=token, timeout=60).status_code == 200
    code = port.links.issue(
        Caller("owner"), f"/mlflow/{HERE}/#/experiments/{experiment}/runs/{run}", time.time()
    )
    page = browser.page

    page.goto(f"{port.url}/link/{code}")
    page.get_by_text("onerror").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert page.title() != "taken"

    page.goto(f"{port.url}/mlflow/{HERE}/#/experiments/{experiment}/runs/{run}/artifacts/page.html")
    frame = page.frame_locator("iframe")
    frame.get_by_text("its own script ran").wait_for()
    assert page.title() != "taken"


def test_parts_that_are_switched_off_answer_quietly() -> None:
    """Only to pages, and only where they ask."""
    assert nothing_there("GET", "/ajax-api/2.0/mlflow/users/current") == b"{}"
    assert nothing_there("GET", "/ajax-api/2.0/mlflow/gateway-proxy") == b'{"endpoints": []}'
    assert nothing_there("POST", "/ajax-api/2.0/mlflow/gateway-proxy") is None
    assert nothing_there("GET", "/api/2.0/mlflow/users/current") is None
    assert nothing_there("GET", "/ajax-api/2.0/mlflow/runs/search") is None


def test_a_page_without_a_head_stays_as_it_is() -> None:
    """Another release of MLflow may look otherwise."""
    assert first_page(b"<html>") == b"<html>"
    assert b"localStorage" in first_page(b"<html><head></head>")
