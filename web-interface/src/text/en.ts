import type { ColourBy } from "../map/colouring";

const count = (number: number, one: string, many: string): string =>
  `${new Intl.NumberFormat("en").format(number)} ${number === 1 ? one : many}`;

/** What is not in a list of known words keeps its own, without the marks of the machine. */
const known =
  (words: Readonly<Record<string, string>>) =>
  (name: string): string =>
    words[name] ?? sentence(name);

const sentence = (name: string): string => {
  const plain = name.replace(/_(m3s|m3|ms|m|w|s)$/, "").replaceAll("_", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
};

export const en = {
  product: "Water Network Intelligence System",
  title: (page: string) => `${page} · WNIS`,
  yes: "yes",
  no: "no",

  shell: {
    skip: "Skip to content",
    home: "WNIS, to the map",
    pages: "Pages",
    map: "Map",
    components: "Components",
    incidents: "Incidents",
    network: "Network",
    import: "Import a network",
    status: { ready: "All parts ready", degraded: "Degraded", down: "Not available" },
    unreachable: "The server does not answer.",
    part: known({ neo4j: "Graph (Neo4j)", sql: "Accounts (SQL)", simulator: "Simulator", ml: "Predictions and search", vector_store: "Incident index", object_store: "Object store" }), // prettier-ignore
    partStates: { up: "working", down: "not answering" },
    utility: (name: string) => `Utility: ${name}`,
  },

  roles: known({ platform_admin: "Platform administrator", admin: "Administrator" }),

  session: {
    signIn: "Sign in",
    signingIn: "Signing in…",
    signOut: "Sign out",
    username: "User name",
    password: "Password",
    wrong: "The user name or the password is wrong.",
    expired: "Your session has ended. Sign in again.",
    throttled: (seconds: number) =>
      `Too many attempts. You can try again in ${seconds < 90 ? count(seconds, "second", "seconds") : count(Math.ceil(seconds / 60), "minute", "minutes")}.`,
    firstTime: "The first password is printed when the system starts for the first time.",
    restoring: "Restoring your session…",
  },

  states: {
    networks: "Loading networks…",
    retry: "Try again",
    requestId: (id: string) => `Request ${id}`,
    unknown: "Something went wrong.",
    notFound: "There is no page at this address.",
    toMap: "To the map",
  },

  synthetic: { short: "Synthetic data", long: "Made by a generator, not observed." },

  units: { legend: "Units", si: "SI", us: "US" },

  health: { normal: "Normal", warning: "Warning", critical: "Critical", unknown: "Unknown" },
  types: known({}),
  statuses: known({ in_service: "In service", out_of_service: "Out of service" }),
  materials: known({
    CI: "Cast iron",
    DI: "Ductile iron",
    AC: "Asbestos cement",
    PVC: "PVC",
    HDPE: "HDPE",
    PE: "Polyethylene",
    ST: "Steel",
    steel: "Steel",
    cast_iron: "Cast iron",
    ductile_iron: "Ductile iron",
    asbestos_cement: "Asbestos cement",
    pvc: "PVC",
    hdpe: "HDPE",
  }),
  valveKinds: known({
    prv: "Pressure reducing",
    psv: "Pressure sustaining",
    pbv: "Pressure breaking",
    fcv: "Flow control",
    tcv: "Throttle control",
    gpv: "General purpose",
    gate: "Gate",
    butterfly: "Butterfly",
    ball: "Ball",
    plug: "Plug",
    check: "Check",
  }),
  relationships: known({ LOCATED_ON: "on this line", MEASURES: "measures", PART_OF: "part of" }),
  property: known({
    install_date: "Installed",
    lined_date: "Lined",
    valve_kind: "Kind of valve",
    diameter_m: "Diameter",
    length_m: "Length",
    roughness: "Roughness coefficient",
    minor_loss: "Minor loss coefficient",
    base_demand_m3s: "Base demand",
    head_m: "Total head",
    init_level_m: "Initial level",
    min_level_m: "Lowest level",
    max_level_m: "Highest level",
    level_fraction: "Level (part of full)",
    capacity_m3: "Capacity",
    min_volume_m3: "Volume at lowest level",
    power_w: "Power",
    speed: "Relative speed",
    source_id: "Key in the register",
    quantity: "Measures",
    origin: "Recorded from",
    updated_at: "Last change",
  }),

  map: {
    section: "Network map",
    heading: (name: string) => `Map of ${name}`,
    canvas: "Map. Arrow keys move it, plus and minus zoom. Use the search to choose a component.",
    loading: "Loading the network…",
    nothing: "This network has no components with coordinates.",
    nothingWhat: "Browse them on the page Components.",
    noWebGl: "The map needs WebGL, which this browser does not offer.",
    plane: "Local plane, no coordinate reference system",
    colourBy: "Colour by",
    colouring: {
      pressure_min: "Pressure, lowest",
      pressure_mean: "Pressure, mean",
      probability: "Failure probability",
      health: "Health",
    } satisfies Record<ColourBy, string>,
    find: "Find a component by name",
    findPlaceholder: "Find a component…",
    findNothing: "No component has this name.",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    fit: "Whole network",
    scale: (length: string) => `Scale bar: ${length}`,
    failureInYear: (percent: string) => `Failure within a year: ${percent}`,
    pressureIs: (pressure: string, which: "mean" | "lowest") =>
      `${which === "mean" ? "Mean" : "Lowest"} pressure ${pressure}`,
  },

  legend: {
    title: {
      pressure_min: "Lowest pressure",
      pressure_mean: "Mean pressure",
      probability: "Failure within a year",
      health: "Health",
    } satisfies Record<ColourBy, string>,
    unit: { pressure_min: "", pressure_mean: "", probability: "%", health: "" } satisfies Record<ColourBy, string>,
    counts: {
      pressure_min: "Junctions, last hydraulic run",
      pressure_mean: "Junctions, last hydraulic run",
      probability: "Pipes, latest predictions",
      health: "All components",
    } satisfies Record<ColourBy, string>,
    none: {
      pressure_min: "This network has not been simulated yet.",
      pressure_mean: "This network has not been simulated yet.",
      probability: "There are no predictions yet.",
      health: "",
    } satisfies Record<ColourBy, string>,
    run: "Run the hydraulics",
    predict: "Predict failures",
    below: (to: string) => `below ${to}`,
    above: (from: string) => `${from} and more`,
    between: (from: string, to: string) => `${from} to ${to}`,
    noValue: "no value",
  },

  importing: {
    heading: "Import a network",
    none: "There is no network yet.",
    noneWhat: "Import an EPANET file, or begin with a sample.",
    file: "EPANET file (.inp)",
    id: "Network id",
    crs: "Coordinate system (optional)",
    crsHint:
      "Without a coordinate reference system the network is drawn on a local plane. An existing id is imported again.",
    submit: "Import",
    sample: (name: string) => `Load the sample ${name}`,
    commandLine: "On the command line:",
  },

  jobs: {
    states: { queued: "Waiting", running: "Working", succeeded: "Done", failed: "Failed", cancelled: "Cancelled" },
    progress: "Progress of the job",
    place: (section: string, line: number) => `${section === "" ? "" : `Section ${section}, `}line ${line}`,
  },

  component: {
    panel: "Component",
    loading: "Loading the component…",
    close: "Close the panel",
    open: "Open full page",
    onMap: "Show on the map",
    properties: "Properties",
    connected: "Connected to",
    notConnected: "Nothing is connected to it.",
    customers: "Customers",
    network: "Network",
    id: "Id",
    retired: "Retired",
  },

  run: {
    heading: "Hydraulics",
    none: "No hydraulic run covers this component yet.",
    loading: "Loading the series…",
    quantity: "Quantity",
    quantities: {
      pressure: "Pressure",
      head: "Head",
      demand: "Demand",
      flow: "Flow",
      velocity: "Velocity",
      headloss: "Head loss",
    },
    summary: known({
      pressure_min_m: "Lowest pressure",
      pressure_mean_m: "Mean pressure",
      pressure_max_m: "Highest pressure",
      demand_mean_m3s: "Mean demand",
      flow_mean_m3s: "Mean flow",
      flow_max_m3s: "Highest flow",
      velocity_max_ms: "Highest velocity",
      headloss_max_m: "Greatest head loss",
    }),
    low: (threshold: string, time: string) => `Below ${threshold} for ${time} h of the run.`,
    steady: "A steady state: the network has no duration, so there is one moment and no curve.",
    time: "Time",
    day: (number: number) => `day ${number}`,
    chart: (label: string, unit: string, { least, most }: { least: string; most: string }) =>
      `${label} over the run, between ${least} and ${most} ${unit}`,
    by: (engine: string, version: string, demandModel: string | null) =>
      `${engine} ${version}${demandModel === "DDA" ? ", demand driven" : demandModel === "PDA" ? ", pressure dependent" : ""}`,
    id: "Run",
    warnings: (number: number) => count(number, "warning", "warnings"),
  },

  prediction: {
    heading: "Failure prediction",
    loading: "Asking the model…",
    horizon: "Horizon",
    horizons: { 30: "30 days", 365: "1 year", 1825: "5 years" },
    spelled: { 30: "30 days", 365: "a year", 1825: "5 years" },
    within: (time: string) => `probability of failure within ${time}`,
    band: (low: string, high: string) => `90 % interval: ${low} to ${high}`,
    life: "Remaining useful life:",
    lifeWhat: "until a failure is as likely as not",
    longer: (life: string) => `more than ${life}`,
    stale: "Stale",
    staleWhat: "Something it rests on has changed since. A new prediction will follow.",
    factors: "What moved it",
    factorsWhat: "Against the usual component, strongest first. Times 2 means that the odds of failure double.",
    effect: (logOdds: number) => {
      const times = Math.exp(Math.abs(logOdds));
      if (times < 1.005) return "no effect";
      return `${logOdds > 0 ? "raises" : "lowers"} ×${times < 10 ? times.toFixed(2) : times.toFixed(0)}`;
    },
  },

  factor: known({ kind: "Kind of component", previous_breaks: "Previous breaks" }),

  why: {
    heading: "Where this number came from",
    short: (model: string, version: string, when: string) => `${model} ${version}, computed ${when}`,
    loading: "Following the edges…",
    computed: "Computed",
    asOf: "Known up to",
    model: "Model",
    trained: "Trained on",
    window: (from: string, to: string) => `${from} to ${to}`,
    inputs: "Inputs (SHA-256)",
    data: "Training data (SHA-256)",
    file: "Model file (SHA-256)",
    incidents: "Incidents that were used",
    noIncidents: "No recorded incident entered this prediction.",
    influenceWhat: "How much the odds change when the incident is taken away and everything is computed again.",
    judgement: "How good is the model?",
    judgedOn: (from: string, to: string) =>
      `Judged on ${from} to ${to} by a fit that knew nothing after ${from}, beside plain rules; then fitted again on everything.`,
    ranking: "Ranking by",
    judge: known({ model: "This model", random: "Chance", prior_breaks: "Earlier breaks", prior_breaks_per_length: "Earlier breaks per length" }), // prettier-ignore
    measures: {
      auc: "AUC",
      precision_top_1pct: "Broke, of the top 1 % of pipes",
      breaks_on_top_1pct_length: "Breaks on the top 1 % of length",
      breaks_on_top_5pct_length: "Breaks on the top 5 % of length",
    },
    verdict: (words: string) => `Verdict: ${words}.`,
    rows: (components: string, breaks: string) => `${components} components with ${breaks} breaks`,
    run: "Hydraulic run used",
    calibration: (expected: string, observed: string, assets: string) =>
      `It expected ${expected} of ${assets} components to fail, ${observed} did.`,
    brier: (own: string, constant: string) =>
      `Brier score ${own}, against ${constant} for one probability for all (lower is better).`,
  },

  feedback: {
    question: "Is this prediction useful?",
    yes: "Yes",
    partly: "Partly",
    no: "No",
    words: "What should we know? (optional)",
    send: "Send",
    bare: (answer: string) => `Is this prediction useful? ${answer}.`,
    thanks: "Thank you. Your feedback is kept with the prediction.",
  },

  incidents: {
    of: "Incidents",
    loading: "Loading incidents…",
    none: "No incident is recorded here.",
    near: (name: string) => `Search incidents around ${name}`,
    kinds: known({ quality: "Water quality" }),
    severity: (severity: string) => `${severity} severity`,
    open: "Open",
  },

  list: {
    heading: "Components",
    words: "Search",
    type: "Type",
    health: "Health",
    status: "Status",
    material: "Material",
    name: "Name",
    installed: "Installed",
    any: "Any",
    loading: "Loading components…",
    none: "No component fits.",
    noneWhat: "Loosen the filter above.",
    more: "Show more",
    shown: (number: number) => `${count(number, "component", "components")} shown`,
    all: (number: number) => `${count(number, "component", "components")}, all shown`,
  },

  search: {
    heading: "Has this happened before?",
    words: "Describe what happened",
    placeholder: "Describe it in your own words",
    submit: "Search",
    kind: "Kind",
    nearHint: "To search around a component, start from its page.",
    within: "Within",
    hops: (number: number) => (number === 0 ? "the component itself" : count(number, "step", "steps")),
    of: "of",
    everywhere: "Search everywhere",
    begin: "For example",
    examples: ["main split along its length in the road", "brown water after a repair", "corroded joint leaking"],
    loading: "Searching…",
    results: "Incidents found",
    none: "Nothing like this is recorded.",
    noneWhat: "Use other words, another kind, or a wider surrounding.",
    score: "Score",
    semantic: "Meaning",
    lexical: "Words",
    scoreWhat: "The score joins how alike the meaning is and how many words agree.",
    cause: (cause: string) => `Cause: ${cause}`,
    repair: (repair: string) => `Repair: ${repair}`,
    onMap: (name: string) => `${name} on the map`,
    away: (hops: number) => (hops === 0 ? "on the component itself" : `${count(hops, "step", "steps")} away`),
  },
};
