/**
 * Who is signed in, and the tokens that prove it.
 *
 * The access token lives in memory only. The refresh token is kept in sessionStorage, so that a reload does not ask
 * for the password again and closing the tab ends the session (docs/adr/0009). Every use of a refresh token replaces
 * it and using one twice revokes the whole family; a duplicated tab starts with a copy of ours, so rotations are
 * serialised by a lock and told to the other tabs.
 */

export interface Person {
  id: string;
  username: string;
  utility: string;
  roles: string[];
}

export interface Tokens {
  token: string;
  refresh_token: string;
  expires_in: number;
}

export type SessionState =
  { kind: "restoring" } | { kind: "signed_out"; expired: boolean } | { kind: "signed_in"; person: Person };

const KEY = "wnis.refresh";
const LOCK = "wnis.refresh";
/** renewed this long before the end, so that a request under way does not meet an expired token */
const MARGIN_MS = 30_000;

interface Rotation {
  from: string;
  tokens: Tokens;
}

type Exchange = (refreshToken: string) => Promise<Tokens | "refused">;

export class Session {
  private access: { token: string; until: number } | null = null;
  private state: SessionState = { kind: "restoring" };
  private readonly listeners = new Set<() => void>();
  private readonly channel: BroadcastChannel | null;
  private renewal: Promise<string | null> | null = null;

  constructor(
    private readonly storage: Storage,
    private readonly exchange: Exchange,
  ) {
    this.channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("wnis.session") : null;
    this.channel?.addEventListener("message", (event: MessageEvent<Rotation>) => {
      if (this.storage.getItem(KEY) === event.data.from) this.keep(event.data.tokens);
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): SessionState => this.state;

  hasRefreshToken(): boolean {
    return this.storage.getItem(KEY) !== null;
  }

  begin(tokens: Tokens, person: Person): void {
    this.keep(tokens);
    this.become({ kind: "signed_in", person });
  }

  restored(person: Person): void {
    this.become({ kind: "signed_in", person });
  }

  end(expired = false): void {
    this.access = null;
    this.storage.removeItem(KEY);
    this.become({ kind: "signed_out", expired });
  }

  /** A token that is good for the next request; null when nobody is signed in. */
  async token(): Promise<string | null> {
    if (this.access && Date.now() < this.access.until) return this.access.token;
    return this.renew();
  }

  /** The server refused our token although we thought it good (the account changed, the clock jumped). */
  forget(token: string): void {
    if (this.access?.token === token) this.access = null;
  }

  private renew(): Promise<string | null> {
    this.renewal ??= withLock(LOCK, () => this.rotate()).finally(() => {
      this.renewal = null;
    });
    return this.renewal;
  }

  private async rotate(): Promise<string | null> {
    if (this.access && Date.now() < this.access.until) return this.access.token; // another tab told us meanwhile
    const from = this.storage.getItem(KEY);
    if (from === null) return null;
    const tokens = await this.exchange(from);
    if (tokens === "refused") {
      this.end(true);
      return null;
    }
    this.keep(tokens);
    this.channel?.postMessage({ from, tokens } satisfies Rotation);
    return tokens.token;
  }

  private keep(tokens: Tokens): void {
    const lifetime = tokens.expires_in * 1000;
    this.access = { token: tokens.token, until: Date.now() + Math.max(lifetime - MARGIN_MS, lifetime / 2) };
    this.storage.setItem(KEY, tokens.refresh_token);
  }

  private become(state: SessionState): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

async function withLock<T>(name: string, body: () => Promise<T>): Promise<T> {
  // locks exist in secure contexts only; over plain HTTP on another host tabs are on their own
  if (!("navigator" in globalThis && "locks" in navigator)) return body();
  return navigator.locks.request(name, body);
}
