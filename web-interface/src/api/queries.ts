/** Everything the page asks of the API, one function a question. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { NetworkFeatures } from "../map/network";
import { session } from "../session";
import { path, type Query } from "./address";
import { call, callOpenly, readReadiness } from "./client";
import type {
  Component,
  ComponentRow,
  FailurePrediction,
  Incident,
  IncidentHit,
  Job,
  Network,
  Readiness,
  RunSeries,
  SignIn,
  SimulationRun,
  User,
  Why,
} from "./types";

export interface JobReceipt {
  job_id: string;
}

export interface ImportReceipt extends JobReceipt {
  network_id: string;
}

interface Page {
  next_cursor: string | null;
}

export async function signIn(username: string, password: string): Promise<void> {
  const answer = await callOpenly<SignIn>("/auth/login", { method: "POST", json: { username, password } });
  session.begin(answer, answer.user);
}

export function whoAmI(): Promise<User> {
  return call<User>("/auth/me");
}

export async function signOut(): Promise<void> {
  try {
    await call("/auth/logout", { method: "POST" });
  } finally {
    session.end();
  }
}

export const readinessQuery = () =>
  queryOptions({
    queryKey: ["ready"],
    queryFn: ({ signal }) => readReadiness<Readiness>(signal),
    refetchInterval: 20_000,
    retry: false,
  });

export const networksQuery = () =>
  queryOptions({
    queryKey: ["networks"],
    queryFn: async ({ signal }) =>
      (await call<Page & { networks: Network[] }>("/networks", { query: { limit: 1000 }, signal })).networks,
  });

export const networkQuery = (id: string) =>
  queryOptions({
    queryKey: ["networks", id],
    queryFn: ({ signal }) => call<Network>(path`/networks/${id}`, { signal }),
  });

export const featuresQuery = (id: string) =>
  queryOptions({
    queryKey: ["networks", id, "features"],
    queryFn: ({ signal }) => call<NetworkFeatures>(path`/networks/${id}/geojson`, { signal }),
    staleTime: 300_000,
  });

export const componentsQuery = (filter: Query) =>
  infiniteQueryOptions({
    queryKey: ["components", filter],
    queryFn: ({ signal, pageParam }) =>
      call<Page & { components: ComponentRow[] }>("/components", {
        query: { limit: 100, ...filter, cursor: pageParam },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const componentQuery = (id: string) =>
  queryOptions({
    queryKey: ["component", id],
    queryFn: ({ signal }) => call<Component>(path`/components/${id}`, { signal }),
  });

export const predictionQuery = (id: string, horizon: number) =>
  queryOptions({
    queryKey: ["component", id, "prediction", horizon],
    queryFn: ({ signal }) =>
      call<FailurePrediction>("/predictions/failure", { query: { component_id: id, horizon }, signal }),
    // scoring on request may take a second: do not ask again behind the person's back
    staleTime: 300_000,
  });

export const whyQuery = (predictionId: string) =>
  queryOptions({
    queryKey: ["why", predictionId],
    queryFn: ({ signal }) => call<Why>(path`/predictions/${predictionId}/why`, { signal }),
    staleTime: Infinity,
  });

export const runQuery = (runId: string) =>
  queryOptions({
    queryKey: ["run", runId],
    queryFn: ({ signal }) => call<SimulationRun>(path`/simulations/${runId}`, { signal }),
    staleTime: Infinity,
  });

export const seriesQuery = (runId: string, componentId: string, quantity: string) =>
  queryOptions({
    queryKey: ["run", runId, "series", componentId, quantity],
    queryFn: ({ signal }) =>
      call<RunSeries>(path`/simulations/${runId}/results`, {
        query: { component_id: componentId, quantity },
        signal,
      }),
    staleTime: Infinity,
  });

export const incidentsOfQuery = (componentId: string) =>
  queryOptions({
    queryKey: ["component", componentId, "incidents"],
    queryFn: async ({ signal }) =>
      (
        await call<Page & { incidents: Incident[] }>("/incidents", {
          query: { component_id: componentId, limit: 100 },
          signal,
        })
      ).incidents,
  });

export interface IncidentSearch {
  query: string;
  component_id?: string;
  hops?: number;
  kind?: string;
  limit: number;
}

export const incidentSearchQuery = (search: IncidentSearch) =>
  queryOptions({
    queryKey: ["incidents", "search", search],
    queryFn: async ({ signal }) =>
      (await call<{ results: IncidentHit[] }>("/incidents/search", { method: "POST", json: search, signal })).results,
  });

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ["job", id],
    queryFn: ({ signal }) => call<Job>(path`/jobs/${id}`, { signal }),
    refetchInterval: ({ state }) =>
      state.data?.state === "queued" || state.data?.state === "running" || state.error ? 700 : false,
    staleTime: 0,
  });

export function importNetwork(file: File, id: string, crs: string): Promise<ImportReceipt> {
  const form = new FormData();
  form.set("file", file);
  form.set("id", id);
  if (crs !== "") form.set("crs", crs);
  return call("/networks", { method: "POST", form });
}

export function importSample(name: string): Promise<ImportReceipt> {
  return call("/networks/samples", { method: "POST", json: { name } });
}

export function startSimulation(networkId: string): Promise<JobReceipt> {
  return call("/simulations", { method: "POST", json: { network_id: networkId, kind: "hydraulic" } });
}

export function startPredictions(): Promise<JobReceipt> {
  return call("/predictions/runs", { method: "POST", json: {} });
}

export function sendFeedback(feedback: {
  content: string;
  rating: number;
  component_id: string;
  component_type: string;
  prediction_id: string;
}): Promise<{ id: string }> {
  return call("/feedback", { method: "POST", json: { source: "web", category: "other", ...feedback } });
}
