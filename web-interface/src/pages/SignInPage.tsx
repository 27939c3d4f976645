import { type SubmitEvent, useEffect, useState } from "react";
import { signIn } from "../api/queries";
import { Problem } from "../api/problem";
import { text } from "../text";

export function SignInPage({ expired }: { expired: boolean }) {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [wait, setWait] = useWait();

  useEffect(() => {
    document.title = text.title(text.session.signIn);
  }, []);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await signIn(username, password);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 429) setWait(error.retryAfterS ?? 30);
      else setProblem(error.status === 401 ? text.session.wrong : error.message);
      if (error.status === 401) setPassword("");
    } finally {
      setBusy(false);
    }
  };

  const message = wait > 0 ? text.session.throttled(wait) : problem;
  return (
    <main className="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <div className="sign-in-brand">
          <img src="/favicon.svg" alt="" width="40" height="40" />
          <div>
            <h1>WNIS</h1>
            <p>{text.product}</p>
          </div>
        </div>
        {expired && message === null && (
          <p className="notice" role="status">
            {text.session.expired}
          </p>
        )}
        {message !== null && (
          <p className="notice notice-bad" role="alert">
            {message}
          </p>
        )}
        <label className="field">
          <span>{text.session.username}</span>
          <input
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            value={username}
            onChange={(event) => {
              setUsername(event.target.value);
            }}
          />
        </label>
        <label className="field">
          <span>{text.session.password}</span>
          <input
            name="password"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => {
              setPassword(event.target.value);
            }}
          />
        </label>
        <button type="submit" className="button button-main" disabled={busy || wait > 0}>
          {busy ? text.session.signingIn : text.session.signIn}
        </button>
        <p className="faint">{text.session.firstTime}</p>
      </form>
    </main>
  );
}

/** Seconds left to wait, counted down. */
function useWait(): [number, (seconds: number) => void] {
  const [until, setUntil] = useState(0);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (until <= Date.now()) return;
    const timer = setInterval(() => {
      setNow(Date.now());
      if (Date.now() >= until) clearInterval(timer);
    }, 500);
    return () => {
      clearInterval(timer);
    };
  }, [until]);
  return [
    Math.max(0, Math.ceil((until - now) / 1000)),
    (seconds) => {
      setNow(Date.now());
      setUntil(Date.now() + seconds * 1000);
    },
  ];
}
