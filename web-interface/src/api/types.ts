/** The answers of the API that this page reads, by short names; their shapes are generated (`npm run types`). */
import type { components, operations } from "./schema";

type Schemas = components["schemas"];

export type User = Schemas["UserAnswer"];
export type SignIn = Schemas["Tokens"];
export type Network = Schemas["NetworkAnswer"];
export type ComponentRow = Schemas["ComponentListed"];
export type Component = Schemas["ComponentAnswer"];
export type LatestResult = Schemas["LatestResult"];
export type Incident = Schemas["IncidentAnswer"];
export type Job = Schemas["JobAnswer"];
export type IncidentHit = Omit<Schemas["SearchHit"], "incident" | "components"> & {
  incident: Incident;
  components: Schemas["AffectedAnswer"][];
};
export type FailurePrediction = Schemas["FailureAnswer"];
export type UsedIncident = Schemas["UsedAnswer"];
export type ModelVersion = Omit<Schemas["VersionAnswer"], "metrics"> & { metrics: ModelMetrics };
export type Why = Omit<Schemas["Why"], "model"> & { model: ModelVersion };

/** What a model version says of itself; `judgement` is null when too little was on record to judge it. */
export interface ModelMetrics {
  verdict: string;
  judgement: Judgement | null;
  trained_on: { components: number; breaks: number };
}

export interface RankingScore {
  auc: number;
  precision_top_1pct: number;
  breaks_on_top_1pct_length: number | null;
  breaks_on_top_5pct_length: number | null;
}

/** How a model version did on a later period, beside rules that need no model. */
export interface Judgement {
  assets: number;
  broke: number;
  model: RankingScore;
  baselines: Record<string, RankingScore>;
  brier: number;
  brier_constant: number;
  expected: number;
  better: boolean;
}

export type SimulationRun = Schemas["RunAnswer"];
export type RunSeries = Schemas["Series"];

export type Readiness = operations["get_ready"]["responses"][200]["content"]["application/json"];
