import { describe, expect, it } from "vitest";
import { Session, type Tokens } from "./session";

class MemoryStorage implements Storage {
  private readonly kept = new Map<string, string>();
  get length(): number {
    return this.kept.size;
  }
  clear(): void {
    this.kept.clear();
  }
  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }
  key(at: number): string | null {
    return [...this.kept.keys()][at] ?? null;
  }
  removeItem(key: string): void {
    this.kept.delete(key);
  }
  setItem(key: string, value: string): void {
    this.kept.set(key, value);
  }
}

const PERSON = { id: "u", username: "ada", utility: "default", roles: ["engineer"] };

/** An exchange that refuses a refresh token presented twice, as the server does. */
function rotating(): { used: string[]; exchange: (token: string) => Promise<Tokens | "refused"> } {
  const used: string[] = [];
  return {
    used,
    exchange: async (token) => {
      await Promise.resolve();
      if (used.includes(token)) return "refused";
      used.push(token);
      return { token: `access-${used.length}`, refresh_token: `refresh-${used.length}`, expires_in: 3600 };
    },
  };
}

describe("a session", () => {
  it("uses a refresh token once, however many requests wait for it", async () => {
    const storage = new MemoryStorage();
    storage.setItem("wnis.refresh", "refresh-0");
    const { used, exchange } = rotating();
    const session = new Session(storage, exchange);
    const tokens = await Promise.all([session.token(), session.token(), session.token()]);
    expect(tokens).toEqual(["access-1", "access-1", "access-1"]);
    expect(used).toEqual(["refresh-0"]);
    expect(storage.getItem("wnis.refresh")).toBe("refresh-1");
  });

  it("gets a new token when the server refused the present one", async () => {
    const { exchange } = rotating();
    const session = new Session(new MemoryStorage(), exchange);
    session.begin({ token: "access-0", refresh_token: "refresh-0", expires_in: 3600 }, PERSON);
    expect(await session.token()).toBe("access-0");
    session.forget("access-0");
    expect(await session.token()).toBe("access-1");
  });

  it("ends, and says so, when its refresh token is refused", async () => {
    const storage = new MemoryStorage();
    storage.setItem("wnis.refresh", "stolen");
    const session = new Session(storage, () => Promise.resolve("refused"));
    expect(await session.token()).toBeNull();
    expect(session.current()).toEqual({ kind: "signed_out", expired: true });
    expect(storage.length).toBe(0);
  });

  it("keeps the refresh token when the server is away", async () => {
    const storage = new MemoryStorage();
    storage.setItem("wnis.refresh", "refresh-0");
    const session = new Session(storage, () => Promise.reject(new Error("away")));
    await expect(session.token()).rejects.toThrow("away");
    expect(storage.getItem("wnis.refresh")).toBe("refresh-0");
  });
});
