"""What every database keeps of workspaces, assets, computes and jobs. A part of `StoreContract`: subclass that one."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from penstock.errors import AlreadyExists, Conflict, NotFound
from penstock.store.database import Database
from penstock.store.records.job import TERMINAL
from penstock.testing.records import a_compute, a_datastore, a_job, a_registry, a_workspace, an_asset

# Whatever a user may write into tags and properties.
ODD = {"ключ": "значение", 'quote " and . [0]': "a'b", "deep": {"list": [1, 2.5, None, True], "empty": {}}}


class RecordsContract:
    """The tests. `database` is open and empty."""

    # Workspaces

    def test_a_workspace_comes_back_as_it_was_made(self, database: Database) -> None:
        """Whatever characters it holds."""
        record = a_workspace(
            display_name="Démo ☃",
            tags=ODD,
            properties={"a": 1},
            location="here",
            resource_group="rg",
            created_at=1.25,
        )
        with database.transaction() as tx:
            assert tx.workspaces.create(record) == record

        with database.reading() as tx:
            assert tx.workspaces.get("demo") == record
            assert tx.workspaces.list() == (record,)

    def test_a_workspace_changes_in_the_given_columns(self, database: Database) -> None:
        """The others stay; an unknown one is not found."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace(display_name="old", tags={"a": "b"}))

            changed = tx.workspaces.update("demo", display_name=None, description="new")

            assert changed == a_workspace(description="new", tags={"a": "b"})
            with pytest.raises(NotFound):
                tx.workspaces.update("absent", description="x")

    def test_a_workspace_takes_its_things_with_it_and_leaves_its_events(self, database: Database) -> None:
        """The log goes on counting if the workspace is made again."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.workspaces.create(a_workspace("other"))
            for workspace in ("demo", "other"):
                tx.assets.create(an_asset(workspace=workspace))
                tx.computes.put(a_compute(workspace=workspace))
                tx.datastores.put(a_datastore(workspace=workspace))
                tx.jobs.insert(a_job("root", workspace=workspace))
                tx.jobs.insert(a_job("step", workspace=workspace, parent="root"))
            tx.events.append("demo", 1.0, "workspace.changed", "workspace/demo", {})

            tx.workspaces.delete("demo")
            tx.workspaces.create(a_workspace())

            assert tx.assets.list("demo", "data") == ()
            assert tx.computes.list("demo") == ()
            assert tx.datastores.list("demo") == ()
            assert tx.jobs.list("demo", every=True) == ()
            assert tx.events.append("demo", 2.0, "x", "y", {}).sequence == 2
            assert len(tx.jobs.list("other", every=True)) == 2

    # Registries

    def test_a_registry_comes_back_as_it_was_made_and_changed(self, database: Database) -> None:
        """Those that there are come by name; an unknown one is told with the near one."""
        record = a_registry(description="ours ☃", tags=ODD, properties={"a": [1]}, resource_group="rg")
        with database.transaction() as tx:
            assert tx.registries.create(record) == record
            other = tx.registries.create(a_registry("other"))
            with pytest.raises(AlreadyExists, match="registry `shared` exists already"):
                tx.registries.create(record)

            changed = tx.registries.update("other", tags={"a": "b"})

        assert changed == a_registry("other", tags={"a": "b"})
        with database.reading() as tx:
            assert tx.registries.get("shared") == record
            assert tx.registries.list() == (changed, record)
            assert other.tags == {}
            with pytest.raises(NotFound) as refused:
                tx.registries.get("sharde")
        assert refused.value.hint == "did you mean `shared`?"

    def test_a_registry_takes_its_assets_with_it_and_leaves_those_of_workspaces(
        self, database: Database
    ) -> None:
        """Its assets have an order of their own; nothing can be put where there is neither."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.registries.create(a_registry("demo"))
            mine = tx.assets.create(an_asset(digest="1"))
            theirs = tx.assets.create(an_asset(workspace="registry:demo", digest="2"))

            assert (mine.sequence, theirs.sequence) == (1, 1)
            assert tx.assets.list("registry:demo", "data") == (theirs,)

            tx.registries.delete("demo")

            assert tx.assets.every("registry:demo", "data") == ()
            assert tx.assets.list("demo", "data") == (mine,)
            with pytest.raises(NotFound):
                tx.registries.delete("demo")

    def test_names_that_are_taken_are_refused(self, database: Database) -> None:
        """Workspaces, versions of assets, and jobs; each error names the thing."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.assets.create(an_asset())
            tx.jobs.insert(a_job())
            with pytest.raises(AlreadyExists, match="`demo`"):
                tx.workspaces.create(a_workspace())
            with pytest.raises(AlreadyExists, match="`taxi:1`"):
                tx.assets.create(an_asset(digest="1" * 64))
            with pytest.raises(AlreadyExists, match="`job-1`"):
                tx.jobs.insert(a_job(type="pipeline"))
            tx.assets.create(an_asset(kind="model"))  # each kind has names of its own

    # Assets

    def test_an_asset_comes_back_with_its_place_in_the_order(self, database: Database) -> None:
        """Counted in the workspace, whatever is in the given record."""
        record = an_asset(spec=ODD, tags={"a": "b"}, properties={"p": "q"}, description="d", sequence=77)
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())

            assert tx.assets.create(record) == replace(record, sequence=1)
            assert tx.assets.create(an_asset(kind="model")).sequence == 2
            assert tx.assets.get("demo", "data", "taxi", "1") == replace(record, sequence=1)

    def test_the_latest_version_is_the_one_made_last(self, database: Database) -> None:
        """Not the one with the highest number, and not one that is archived."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            for version in ("10", "3", "4"):
                tx.assets.create(an_asset(version=version))
            tx.assets.update_mutable("demo", "data", "taxi", "4", modified_at=2.0, archived=True)

            latest = tx.assets.find_latest("demo", "data", "taxi")

            assert latest is not None
            assert latest.version == "3"
            assert tx.assets.get_latest("demo", "data", "taxi") == latest
            assert tx.assets.find_latest("demo", "model", "taxi") is None

    def test_a_list_without_a_name_has_one_row_per_name(self, database: Database) -> None:
        """The latest of each, newest first; those made in passing are left out.

        A name is among the archived ones where all its versions are, and among the others where one is not.
        """
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            for name, version in (("a", "1"), ("b", "1"), ("a", "2"), ("c", "1")):
                tx.assets.create(an_asset(name, version))
            tx.assets.create(an_asset("inline", anonymous=True))
            tx.assets.update_mutable("demo", "data", "a", "2", modified_at=2.0, archived=True)
            tx.assets.update_mutable("demo", "data", "c", "1", modified_at=2.0, archived=True)

            def listed(name: str | None = None, **filters: Any) -> list[str]:
                records = tx.assets.list("demo", "data", name, **filters)
                return [f"{each.name}:{each.version}" for each in records]

            assert listed() == ["b:1", "a:1"]
            assert listed(include_archived=True) == ["c:1", "b:1", "a:1"]
            assert listed(archived_only=True) == ["c:1"]
            assert listed(include_archived=True, limit=2) == ["c:1", "b:1"]
            assert listed("a") == ["a:1"]
            assert listed("a", include_archived=True) == ["a:2", "a:1"]
            assert listed("a", archived_only=True) == ["a:2"]
            assert listed("inline") == ["inline:1"]
            assert [each.name for each in tx.assets.every("demo", "data")] == ["a", "b", "a", "c", "inline"]

    def test_a_name_is_archived_and_restored_with_all_its_versions(self, database: Database) -> None:
        """With those that come later too; restoring brings back what was archived alone as well."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            for name, version in (("a", "1"), ("a", "2"), ("b", "1")):
                tx.assets.create(an_asset(name, version))
            tx.assets.update_mutable("demo", "data", "a", "1", modified_at=2.0, archived=True)
            assert not tx.assets.is_archived_whole("demo", "data", "a")

            tx.assets.archive_whole("demo", "data", "a", True, modified_at=3.0)
            late = tx.assets.create(an_asset("a", "3"))

            assert late.archived
            assert tx.assets.is_archived_whole("demo", "data", "a")
            assert tx.assets.find_latest("demo", "data", "a") is None
            assert tx.assets.next_version("demo", "data", "a") == "4"
            assert [each.name for each in tx.assets.list("demo", "data")] == ["b"]
            assert [each.version for each in tx.assets.list("demo", "data", "a", archived_only=True)] == [
                "3",
                "2",
                "1",
            ]
            tx.assets.archive_whole("demo", "data", "a", False, modified_at=4.0)
            assert not tx.assets.is_archived_whole("demo", "data", "a")
            assert [each.version for each in tx.assets.list("demo", "data", "a")] == ["3", "2", "1"]
            with pytest.raises(NotFound, match="`absent`"):
                tx.assets.archive_whole("demo", "data", "absent", True, modified_at=5.0)

    def test_assets_are_found_by_tag(self, database: Database) -> None:
        """Without a name by the tags of each name's latest version, with one by each version's own."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.assets.create(an_asset("a", "1", tags={"team": "red"}))
            tx.assets.create(an_asset("a", "2", tags={"team": "blue"}))
            tx.assets.create(an_asset("b", "1", tags={"team": "red"}))

            assert [each.name for each in tx.assets.list("demo", "data", tag="team")] == ["b", "a"]
            assert [each.name for each in tx.assets.list("demo", "data", tag="team=red")] == ["b"]
            assert [each.version for each in tx.assets.list("demo", "data", "a", tag="team=red")] == ["1"]

    @pytest.mark.parametrize(
        ("versions", "following"),
        [((), "1"), (("1", "2"), "3"), (("10", "3"), "11"), (("v1", "2024-01-01"), "1"), (("007", "x"), "8"), (("²",), "1")],
    )  # fmt: skip
    def test_the_next_version_follows_the_highest_number(
        self, database: Database, versions: tuple[str, ...], following: str
    ) -> None:
        """Versions that are no whole numbers do not count; archived ones do."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            for version in versions:
                tx.assets.create(an_asset(version=version, archived=True))

            assert tx.assets.next_version("demo", "data", "taxi") == following

    def test_an_asset_changes_only_in_what_describes_it(self, database: Database) -> None:
        """Content, digest and order stay."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            before = tx.assets.create(an_asset(description="old", tags={"a": "b"}))

            after = tx.assets.update_mutable(
                "demo", "data", "taxi", "1", modified_at=5.0, description=None, tags={"c": "d"}
            )

            assert after == replace(before, modified_at=5.0, description=None, tags={"c": "d"})

    def test_a_deleted_version_leaves_the_others(self, database: Database) -> None:
        """And its name can be used again, for something that is newer than all others."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.assets.create(an_asset(version="1"))
            tx.assets.create(an_asset(version="2"))

            tx.assets.delete("demo", "data", "taxi", "1")
            again = tx.assets.create(an_asset(version="1"))

            assert tx.assets.find_latest("demo", "data", "taxi") == again

    # Computes

    def test_putting_a_compute_again_replaces_it(self, database: Database) -> None:
        """Its time of creation stays."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.computes.put(a_compute(spec={"max_instances": 1}))

            tx.computes.put(a_compute(spec={"max_instances": 4}, created_at=9.0, modified_at=9.0))

            expected = a_compute(spec={"max_instances": 4}, created_at=1.0, modified_at=9.0)
            assert tx.computes.list("demo") == (expected,)
            tx.computes.delete("demo", "cpu-cluster")
            assert tx.computes.find("demo", "cpu-cluster") is None

    # Datastores

    def test_putting_a_datastore_again_replaces_it(self, database: Database) -> None:
        """Who created it, and when, stays."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.datastores.put(a_datastore(spec={"path": "/a"}))

            tx.datastores.put(
                a_datastore(spec={"path": "/b"}, created_at=9.0, created_by="x", modified_at=9.0)
            )

            expected = a_datastore(spec={"path": "/b"}, modified_at=9.0)
            assert tx.datastores.list("demo") == (expected,)
            tx.datastores.delete("demo", "lake")
            assert tx.datastores.find("demo", "lake") is None
            with pytest.raises(NotFound, match="datastore `lake`"):
                tx.datastores.delete("demo", "lake")

    # Jobs

    def test_a_job_comes_back_as_it_was_inserted(self, database: Database) -> None:
        """Every column, None and {} apart."""
        record = a_job(
            spec=ODD, inputs={}, outputs={"o": {"path": "x"}}, error={"code": "UserError"}, worker={"pid": 7},
            started_at=2.5, ended_at=3.5, cancel_requested_at=3.0, mlflow_run="r", fence=4, position=2, compute="cpu",
        )  # fmt: skip
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.jobs.insert(record)
            tx.jobs.insert(a_job("plain"))

        with database.reading() as tx:
            assert asdict(tx.jobs.get("demo", "job-1")) == asdict(record)
            assert tx.jobs.get("demo", "plain").worker is None

    def test_everything_inside_a_pipeline_is_found_at_any_depth(self, database: Database) -> None:
        """In the order of the whole job; another workspace's jobs of the same name are not its own."""
        with database.transaction() as tx:
            for workspace in ("demo", "other"):
                tx.workspaces.create(a_workspace(workspace))
                tx.jobs.insert(a_job("job", workspace=workspace))
                for position, (name, parent) in enumerate(
                    (("a", "job"), ("a_b", "a"), ("a_b_c", "a_b"), ("z", "job"))
                ):
                    tx.jobs.insert(
                        a_job(name, workspace=workspace, parent=parent, root="job", position=position)
                    )

            assert [job.name for job in tx.jobs.below("demo", "job")] == ["a", "a_b", "a_b_c", "z"]
            assert [job.name for job in tx.jobs.below("demo", "a")] == ["a_b", "a_b_c"]
            assert {job.workspace for job in tx.jobs.below("demo", "job")} == {"demo"}
            assert tx.jobs.below("demo", "z") == ()

    def test_jobs_are_listed_newest_first_without_their_steps(self, database: Database) -> None:
        """Steps are listed under their parent, in their order."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            for number in range(5):
                tx.jobs.insert(a_job(f"job-{number}", created_at=float(number), compute="cpu"))
            for position, step in enumerate(("prep", "train", "evaluate")):
                tx.jobs.insert(
                    a_job(f"job-4-{step}", parent="job-4", position=position, created_at=50.0 - position)
                )

            assert [job.name for job in tx.jobs.list("demo")] == [
                f"job-{number}" for number in (4, 3, 2, 1, 0)
            ]
            assert [job.name for job in tx.jobs.list("demo", limit=2)] == ["job-4", "job-3"]
            steps = ["job-4-prep", "job-4-train", "job-4-evaluate"]
            assert [job.name for job in tx.jobs.children("demo", "job-4")] == steps
            assert [job.name for job in tx.jobs.list("demo", "job-4")] == steps
            assert len(tx.jobs.list("demo", every=True)) == 8
            assert tx.jobs.list("absent") == ()
            assert [job.name for job in tx.jobs.using_compute("demo", "cpu")] == [
                f"job-{n}" for n in range(5)
            ]
            assert tx.jobs.using_compute("demo", "cpu", ("Running",)) == ()

    @pytest.mark.parametrize(
        ("tag", "found"),
        [
            ("team", ["b", "a"]), ("team=red", ["a"]), ("team=", []), ("tea", []), ('o"d.d[0]', ["c"]),
            ('o"d.d[0]=x=y', ["c"]), ("team=%", []), ("Team", []), ("depth=3", ["c"]),
        ],
    )  # fmt: skip
    def test_jobs_are_found_by_tag(self, database: Database, tag: str, found: list[str]) -> None:
        """By its key, or by key and value, whatever characters they have."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.jobs.insert(a_job("a", tags={"team": "red"}, created_at=1.0))
            tx.jobs.insert(a_job("b", tags={"team": "blue"}, created_at=2.0))
            tx.jobs.insert(a_job("c", tags={'o"d.d[0]': "x=y", "depth": "3"}, created_at=3.0))

            assert [job.name for job in tx.jobs.list("demo", tag=tag)] == found

    def test_jobs_are_listed_by_whether_they_are_archived(self, database: Database) -> None:
        """The limit counts what is left."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            for number in range(3):
                tx.jobs.insert(a_job(f"job-{number}", created_at=float(number), status="Completed"))
            tx.jobs.update("demo", "job-2", archived=True)

            assert [job.name for job in tx.jobs.list("demo", archived=False, limit=1)] == ["job-1"]
            assert [job.name for job in tx.jobs.list("demo", archived=True)] == ["job-2"]
            assert len(tx.jobs.list("demo")) == 3

    def test_open_roots_are_those_that_have_not_ended(self, database: Database) -> None:
        """Of all workspaces, oldest first, without steps."""
        with database.transaction() as tx:
            for workspace in ("demo", "other"):
                tx.workspaces.create(a_workspace(workspace))
            tx.jobs.insert(a_job("late", created_at=9.0, workspace="other", status="Running"))
            tx.jobs.insert(a_job("early", created_at=1.0))
            tx.jobs.insert(a_job("step", parent="early", status="Running"))
            for status in TERMINAL:
                tx.jobs.insert(a_job(status, status=status))
            assert [job.name for job in tx.jobs.open_roots()] == ["early", "late"]
            assert tx.jobs.count_by_status() == {"NotStarted": 1, "Running": 2}
            assert [job.name for job in tx.jobs.list("demo", statuses=("NotStarted", "Failed"))] == [
                "early",
                "Failed",
            ]

            tx.jobs.update("demo", "early", status="Completed")

            assert [job.name for job in tx.jobs.open_roots()] == ["late"]

    @pytest.mark.parametrize("ended", sorted(TERMINAL))
    def test_a_terminal_status_never_changes(self, database: Database, ended: str) -> None:
        """What describes the job may still change, and saying the same status again is no change."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.jobs.insert(a_job(status="Running"))
            tx.jobs.update("demo", "job-1", status=ended)
            for status in ("Running", *(TERMINAL - {ended})):
                with pytest.raises(Conflict, match=f"has ended as {ended}"):
                    tx.jobs.update("demo", "job-1", status=status, error={"code": "late"})

            changed = tx.jobs.update("demo", "job-1", status=ended, tags={"a": "b"}, display_name="x")

            assert (changed.status, changed.tags, changed.display_name) == (ended, {"a": "b"}, "x")
            assert changed.error is None

    def test_an_older_owner_is_refused(self, database: Database) -> None:
        """A job belongs to whoever came last; the news of one who came earlier change nothing."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.jobs.insert(a_job(status="Running"))
            assert tx.jobs.take_over("demo", "job-1").fence == 1
            assert tx.jobs.take_over("demo", "job-1").fence == 2
            with pytest.raises(Conflict, match="another owner") as caught:
                tx.jobs.update("demo", "job-1", fence=1, status="Failed")
            assert "fence: 2, the caller's is 1" in caught.value.details

            assert tx.jobs.update("demo", "job-1", fence=2, mlflow_run="r").fence == 2
            assert tx.jobs.update("demo", "job-1", fence=5, mlflow_run="s").fence == 5
            with pytest.raises(Conflict, match="another owner"):
                tx.jobs.update("demo", "job-1", fence=4, mlflow_run="t")

            assert tx.jobs.update("demo", "job-1", display_name="no owner needed").mlflow_run == "s"
