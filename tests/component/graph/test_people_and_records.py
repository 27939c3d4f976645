"""Utilities, users, jobs, feedback and asset registers."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from wnis_core.errors import Conflict, InvalidValue, NotFound
from wnis_core.jobs import JobView
from wnis_graph.repositories.assets import AssetAttributes, AssetRepository, NewConnection
from wnis_graph.repositories.components import ComponentRepository
from wnis_graph.repositories.feedback import FeedbackRepository, NewFeedback
from wnis_graph.repositories.jobs import JobRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.repositories.users import Membership, UserRepository
from wnis_graph.repositories.utilities import UtilityRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

from tests.component.graph.samples import SOURCE, line_network

AT = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def line(runner: Runner, scope: Scope) -> Scope:
    NetworkRepository(runner).persist(scope, "net", line_network(), SOURCE)
    return scope


def test_a_utility_keeps_the_name_it_was_given_first(runner: Runner, scope: Scope) -> None:
    utilities = UtilityRepository(runner)

    utilities.ensure(scope, "Waterworks")
    utilities.ensure(scope, "Other")

    assert utilities.get(scope).name == "Waterworks"
    assert scope.utility in {u.id for u in utilities.list(scope)}


def test_a_user_belongs_to_utilities_in_roles(runner: Runner, scope: Scope) -> None:
    users, name = UserRepository(runner), f"ada-{uuid.uuid4().hex}"
    other = replace(scope, utility=scope.utility + "-2")
    UtilityRepository(runner).ensure(other)
    ada = users.create(scope, name, "engineer").user

    users.add_member(other, ada.id, "analyst")
    users.set_role(scope, ada.id, "manager")

    assert set(users.memberships(scope, ada.id)) == {
        Membership(scope.utility, "manager"),
        Membership(other.utility, "analyst"),
    }
    assert users.find_by_username(scope, name) == ada
    assert [m.user.username for m in users.list_in_utility(scope)] == [name]
    assert users.set_active(scope, ada.id, False).user.active is False
    assert users.get(scope, ada.id).active is False


def test_a_user_of_another_utility_cannot_be_touched(runner: Runner, scope: Scope) -> None:
    users = UserRepository(runner)
    stranger = users.create(replace(scope, utility=scope.utility + "-2"), f"eve-{uuid.uuid4().hex}", "operator").user

    for call in (
        lambda: users.set_active(scope, stranger.id, False),
        lambda: users.set_role(scope, stranger.id, "admin"),
        lambda: users.get_member(scope, stranger.id),
    ):
        with pytest.raises(NotFound):
            call()
    assert users.get(scope, stranger.id).active is True


def test_a_user_name_is_given_once_and_roles_are_known(runner: Runner, scope: Scope) -> None:
    users, name = UserRepository(runner), f"bob-{uuid.uuid4().hex}"
    users.create(scope, name, "operator")

    with pytest.raises(Conflict):
        users.create(replace(scope, utility=scope.utility + "-2"), name, "operator")
    with pytest.raises(InvalidValue):
        users.create(scope, name + "2", "king")


def test_news_of_a_job_in_any_order_end_in_its_last_state(runner: Runner, scope: Scope) -> None:
    jobs = JobRepository(runner)
    view = JobView("", "import", "simulator", scope.utility, "queued", 0.0, "", None, None, "me", AT, None)
    news = [
        view,
        replace(view, state="running", progress=0.2, message="reading"),
        replace(view, state="running", progress=0.8, message="writing"),
        replace(view, state="succeeded", progress=1.0, message="done", result={"components": 3}, finished_at=AT),
    ]
    for seed in range(6):
        told = [replace(v, id=f"job-{seed}") for v in news * 2]
        random.Random(seed).shuffle(told)
        for item in told:
            jobs.record(scope, item)
        job = jobs.get(scope, f"job-{seed}")
        assert (job.state, job.progress, job.message, job.result) == ("succeeded", 1.0, "done", {"components": 3})
        assert job.finished_at == AT


def test_progress_of_a_job_never_goes_back(runner: Runner, scope: Scope) -> None:
    jobs = JobRepository(runner)
    view = JobView("job", "import", "simulator", scope.utility, "running", 0.6, "", None, None, "me", AT, None)

    jobs.record(scope, view)
    jobs.record(scope, replace(view, progress=0.3))
    jobs.record(scope, replace(view, state="queued", progress=0.0))

    assert (jobs.get(scope, "job").state, jobs.get(scope, "job").progress) == ("running", 0.6)
    jobs.record(scope, replace(view, state="failed", progress=0.0, error={"code": "invalid_model"}))
    assert (jobs.get(scope, "job").state, jobs.get(scope, "job").error) == ("failed", {"code": "invalid_model"})


def test_jobs_are_paged_from_the_latest(runner: Runner, scope: Scope) -> None:
    jobs = JobRepository(runner)
    for n in range(5):
        moment = AT + timedelta(days=n // 2)  # equal moments are told apart by id
        jobs.record(
            scope, JobView(f"job-{n}", "import", "ml", scope.utility, "queued", 0, "", None, None, "me", moment, None)
        )

    first = jobs.list(scope, limit=2)
    second = jobs.list(scope, limit=3, cursor=first.next_cursor)

    assert [j.id for j in (*first.rows, *second.rows)] == ["job-4", "job-3", "job-2", "job-1", "job-0"]
    assert second.next_cursor is None
    assert jobs.list(scope, state="failed").rows == ()


def test_feedback_goes_from_new_to_closed(runner: Runner, line: Scope) -> None:
    feedback = FeedbackRepository(runner)
    user = UserRepository(runner).create(line, f"cy-{uuid.uuid4().hex}", "operator").user
    scope = replace(line, user=user.id)

    made = feedback.create(scope, NewFeedback("web", "bug", "The map is empty.", 2, "net:pipe:AB", "Pipe"))
    feedback.create(scope, NewFeedback("api", "other", "Thanks."))
    closed = feedback.update(scope, made.id, "closed", "Zoom in.")

    assert (made.status, made.user_id, made.component_id, made.rating) == ("new", user.id, "net:pipe:AB", 2)
    assert (closed.status, closed.resolution, closed.submitted_at) == ("closed", "Zoom in.", made.submitted_at)
    assert feedback.update(scope, made.id, "closed").resolution == "Zoom in."
    assert [f.id for f in feedback.list(scope, component_id="net:pipe:AB").rows] == [made.id]
    assert [f.category for f in feedback.list(scope, status="new").rows] == ["other"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (NewFeedback("fax", "bug", "x"), "source"),
        (NewFeedback("web", "praise", "x"), "category"),
        (NewFeedback("web", "bug", "x", 6), "rating"),
        (NewFeedback("web", "bug", "x", component_id="nothing"), "component_id"),
        (NewFeedback("web", "bug", "x", prediction_id="nothing"), "prediction_id"),
    ],
)
def test_wrong_feedback_is_refused_with_its_field(runner: Runner, line: Scope, wrong: NewFeedback, field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        FeedbackRepository(runner).create(line, wrong)

    assert refused.value.fields[0].field == field
    assert FeedbackRepository(runner).list(line).rows == ()


def test_a_register_is_taken_row_by_row(runner: Runner, line: Scope) -> None:
    assets, components = AssetRepository(runner), ComponentRepository(runner)
    rows = [
        AssetAttributes("AB", {"material": "cast_iron", "install_date": date(1950, 1, 1), "source_id": "4711"}),
        AssetAttributes("net:pipe:BC", {"material": "pvc", "manufacturer": None}),
        AssetAttributes("CD", {"length_m": 10.0}),
        AssetAttributes("nobody", {"material": "pvc"}),
        AssetAttributes("CD", {"diameter_m": "wide", "health": "normal", "colour": "red"}),
    ]

    report = assets.update_attributes(line, "net", rows)

    assert (report.updated, report.unchanged, report.unmatched) == (2, 1, ("nobody",))
    ((rejected),) = report.rejected
    assert (rejected.row, {e.field for e in rejected.errors}) == (5, {"diameter_m", "health", "colour"})
    pipe = components.get(line, "net:pipe:AB").component
    assert (pipe.properties["material"], pipe.revision) == ("cast_iron", 2)
    assert len(components.history(line, "net:pipe:AB")) == 1
    assert NetworkRepository(runner).head(line, "net").revision == 2

    again = assets.update_attributes(line, "net", [AssetAttributes("4711", {"material": "cast_iron"})])
    assert (again.updated, again.unchanged) == (0, 1)
    assert NetworkRepository(runner).head(line, "net").revision == 2


def test_an_ambiguous_name_matches_nothing(runner: Runner, scope: Scope) -> None:
    model = line_network()
    same = replace(
        model, junctions=(*model.junctions[:-1], replace(model.junctions[-1], name="AB")), pipes=model.pipes[:-1]
    )
    NetworkRepository(runner).persist(scope, "net", same, SOURCE)

    report = AssetRepository(runner).update_attributes(scope, "net", [AssetAttributes("AB", {"tag": "x"})])

    assert (report.updated, report.unmatched) == (0, ("AB",))


def test_service_connections_are_made_once_and_may_move(runner: Runner, line: Scope) -> None:
    assets, components = AssetRepository(runner), ComponentRepository(runner)
    rows = [
        NewConnection("sc-1", "Hospital", 1, "net:junction:B", critical=True),
        NewConnection("sc-2", "Main Street 1", 4, "B"),
        NewConnection("sc-3", "Nowhere", 4, "nobody"),
        NewConnection("sc 4", "Blank", -1, "B"),
    ]

    first = assets.put_connections(line, "net", rows)
    second = assets.put_connections(line, "net", [replace(rows[1], customers=5, served_by="C")])

    assert (first.created, first.updated, first.unmatched) == (2, 0, ("nobody",))
    assert [r.row for r in first.rejected] == [4]
    assert (second.created, second.updated) == (0, 1)
    assert [(s.id, s.critical) for s in components.service_connections(line, "net:junction:B")] == [("sc-1", True)]
    assert components.get(line, "net:junction:C").counts.customers == 5
