import { session } from "../session";
import { type Query, queryText } from "./address";
import { problemFrom, UNREACHABLE } from "./problem";

const BASE = "/api/v1";

interface Options {
  method?: "GET" | "POST" | "PUT" | "PATCH";
  query?: Query;
  json?: unknown;
  form?: FormData;
  signal?: AbortSignal;
}

/** One request with the person's token; a token that was refused is renewed and the request repeated once. */
export async function call<T>(path: string, options: Options = {}): Promise<T> {
  const token = await session.token();
  let response = await send(path, options, token);
  if (response.status === 401 && token !== null) {
    session.forget(token);
    const renewed = await session.token();
    if (renewed !== null) response = await send(path, options, renewed);
    if (response.status === 401) session.end(true);
  }
  return read<T>(response);
}

/** One request without a token. */
export async function callOpenly<T>(path: string, options: Options = {}): Promise<T> {
  return read<T>(await send(path, options, null));
}

/** `/api/ready` answers 503 with a document that is no problem but the state itself. */
export async function readReadiness<T>(signal: AbortSignal): Promise<T> {
  const response = await fetch("/api/ready", { signal, headers: { Accept: "application/json" } });
  return (await response.json()) as T;
}

async function send(path: string, options: Options, token: string | null): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (token !== null) headers["Authorization"] = `Bearer ${token}`;
  if (options.json !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(BASE + path + queryText(options.query), {
      method: options.method ?? "GET",
      headers,
      body: options.form ?? (options.json === undefined ? null : JSON.stringify(options.json)),
      signal: options.signal ?? null,
      cache: "no-store",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw UNREACHABLE;
  }
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  let document: unknown = null;
  try {
    document = text === "" ? null : JSON.parse(text);
  } catch {
    document = null; // an answer of something between us and the API, such as a proxy's error page
  }
  if (!response.ok) throw problemFrom(document, response.status, response.headers.get("Retry-After"));
  return document as T;
}
