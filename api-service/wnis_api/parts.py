"""Everything the routes work with, made once from the settings."""

from __future__ import annotations

from dataclasses import dataclass

from wnis_core.objects import ObjectStore, open_object_store
from wnis_core.service_client import ServiceClient
from wnis_core.settings import Settings, require_secret
from wnis_core.tokens import Caller
from wnis_graph.analyst.door import GRACE_S, TIMEOUT_S, AnalystDoor
from wnis_graph.repositories.assets import AssetRepository
from wnis_graph.repositories.components import ComponentRepository
from wnis_graph.repositories.device_register import DeviceRegister
from wnis_graph.repositories.feedback import FeedbackRepository
from wnis_graph.repositories.health import HealthRepository
from wnis_graph.repositories.incidents import IncidentRepository
from wnis_graph.repositories.isolation import IsolationRepository
from wnis_graph.repositories.jobs import JobRepository
from wnis_graph.repositories.maps import MapRepository
from wnis_graph.repositories.models import ModelRepository
from wnis_graph.repositories.networks import NetworkRepository
from wnis_graph.repositories.predictions import PredictionRepository
from wnis_graph.repositories.quality import QualityRepository
from wnis_graph.repositories.questions import QuestionRepository
from wnis_graph.repositories.simulations import SimulationRepository
from wnis_graph.repositories.topology import TopologyRepository
from wnis_graph.repositories.users import UserRepository
from wnis_graph.repositories.utilities import UtilityRepository
from wnis_graph.repositories.valve_register import ValveRegister
from wnis_graph.runner import Runner, open_driver

from wnis_api import passwords
from wnis_api.api_keys import ApiKeys
from wnis_api.audit import AuditTrail
from wnis_api.configuration import Configuration
from wnis_api.console import Console
from wnis_api.credentials import Credentials
from wnis_api.directory import Directory
from wnis_api.gate import Gate
from wnis_api.readiness import ReadinessProbe
from wnis_api.receipts import Receipts
from wnis_api.request_limits import RequestLimits
from wnis_api.running_queries import RunningQueries
from wnis_api.saved_queries import SavedQueries
from wnis_api.segment_keeper import SegmentKeeper
from wnis_api.sessions import Sessions
from wnis_api.sign_in import SignIn
from wnis_api.sql import Database
from wnis_api.throttle import SignInThrottle
from wnis_api.user_tokens import UserTokens


@dataclass(frozen=True)
class Parts:
    """The composition root's product; one for each worker process."""

    runner: Runner
    database: Database
    credentials: Credentials
    sessions: Sessions
    keys: ApiKeys
    gate: Gate
    sign_in: SignIn
    directory: Directory
    limits: RequestLimits
    receipts: Receipts
    audit: AuditTrail
    configuration: Configuration
    simulator: ServiceClient
    ml: ServiceClient
    readiness: ReadinessProbe
    components: ComponentRepository
    networks: NetworkRepository
    incidents: IncidentRepository
    jobs: JobRepository
    feedback: FeedbackRepository
    topology: TopologyRepository
    isolation: IsolationRepository
    segments: SegmentKeeper
    valves: ValveRegister
    quality: QualityRepository
    devices: DeviceRegister
    maps: MapRepository
    health: HealthRepository
    console: Console
    questions: QuestionRepository
    saved: SavedQueries
    simulations: SimulationRepository
    predictions: PredictionRepository
    models: ModelRepository
    assets: AssetRepository
    objects: ObjectStore
    max_upload_bytes: int


def build_parts(settings: Settings) -> Parts:
    """Wire everything up; nothing is connected yet, so the API starts while other parts are still down."""
    driver = open_driver(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password)
    runner = Runner(driver, pause_patience_s=0.0)
    database = Database(settings.sql_url)
    secret = require_secret("WNIS_INTERNAL_SECRET", settings.internal_secret)
    simulator = ServiceClient("simulator", settings.simulator_url, secret)
    ml = ServiceClient("ml", settings.ml_url, secret)
    credentials, sessions, keys = Credentials(database), Sessions(database), ApiKeys(database)
    directory = Directory(UserRepository(runner), UtilityRepository(runner), credentials)
    tokens = UserTokens(require_secret("WNIS_JWT_SECRET", settings.jwt_secret))
    limits = RequestLimits(
        settings.redis_url, settings.home / "run" / "counters.sqlite", settings.rate_limit_per_minute
    )
    audit = AuditTrail(database)
    door = AnalystDoor(driver, settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password)
    running = RunningQueries(database, door.still_runs, TIMEOUT_S + 2 * GRACE_S)
    isolation = IsolationRepository(runner)
    passwords.prepare()

    def index_answers() -> bool:
        nobody = Caller("default", "api", frozenset(), "ready")
        return bool(ml.call(nobody, "GET", "/index", timeout_s=2))

    readiness = ReadinessProbe(
        {
            "neo4j": runner.alive,
            "sql": database.answers,
            "simulator": simulator.answers,
            "ml": ml.answers,
            "vector_store": index_answers,
            "request_counters": limits.answers,
        },
        sessions,
        runner.clock_ahead_s,
    )
    return Parts(
        runner=runner,
        database=database,
        credentials=credentials,
        sessions=sessions,
        keys=keys,
        gate=Gate(tokens, credentials, keys, directory),
        sign_in=SignIn(credentials, sessions, SignInThrottle(database), directory, tokens),
        directory=directory,
        limits=limits,
        receipts=Receipts(database),
        audit=audit,
        configuration=Configuration(database),
        simulator=simulator,
        ml=ml,
        readiness=readiness,
        components=ComponentRepository(runner),
        networks=NetworkRepository(runner),
        incidents=IncidentRepository(runner),
        jobs=JobRepository(runner),
        feedback=FeedbackRepository(runner),
        topology=TopologyRepository(runner),
        isolation=isolation,
        segments=SegmentKeeper(isolation),
        valves=ValveRegister(runner),
        quality=QualityRepository(runner),
        devices=DeviceRegister(runner),
        maps=MapRepository(runner),
        health=HealthRepository(runner),
        console=Console(door, running, audit, directory),
        questions=QuestionRepository(runner),
        saved=SavedQueries(database),
        simulations=SimulationRepository(runner),
        predictions=PredictionRepository(runner),
        models=ModelRepository(runner),
        assets=AssetRepository(runner),
        objects=open_object_store(settings.object_store),
        max_upload_bytes=settings.max_upload_bytes,
    )
