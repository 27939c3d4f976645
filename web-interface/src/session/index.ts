import { useSyncExternalStore } from "react";
import { problemFrom } from "../api/problem";
import { Session, type SessionState, type Tokens } from "./session";

export type { Person } from "./session";

/** The one session of this page. */
export const session = new Session(window.sessionStorage, async (refreshToken) => {
  const response = await fetch("/api/v1/auth/refresh", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ refresh_token: refreshToken }),
    cache: "no-store",
  });
  if (response.status === 401 || response.status === 400 || response.status === 422) return "refused";
  // anything else (503, 429) is no verdict on the token: keep it and let the caller show the problem
  if (!response.ok) throw problemFrom(await response.json().catch(() => null), response.status, null);
  return (await response.json()) as Tokens;
});

export function useSession(): SessionState {
  return useSyncExternalStore(session.subscribe, session.current);
}
