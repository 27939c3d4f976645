import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { networksQuery, readinessQuery, signOut, whoAmI } from "./api/queries";
import { useNetworkId } from "./network";
import { SignInPage } from "./pages/SignInPage";
import { session, useSession } from "./session";
import type { Person } from "./session";
import { text } from "./text";
import { Loading } from "./ui/states";
import { useUnits } from "./units/preference";

/** The frame around every page; without a session it shows the sign-in instead, at the same address. */
export function Shell() {
  const state = useSession();
  useEffect(() => {
    if (state.kind === "restoring") void restore();
  }, [state.kind]);
  if (state.kind === "restoring") {
    return (
      <main className="restoring">
        <Loading what={text.session.restoring} />
      </main>
    );
  }
  if (state.kind === "signed_out") return <SignInPage expired={state.expired} />;
  return <Frame person={state.person} />;
}

async function restore(): Promise<void> {
  if (!session.hasRefreshToken()) {
    session.end();
    return;
  }
  try {
    session.restored(await whoAmI());
  } catch {
    // the refresh token was refused, or the server is away: sign in again either way
    session.end(true);
  }
}

function Frame({ person }: { person: Person }) {
  return (
    <div className="frame">
      <a className="skip" href="#content">
        {text.shell.skip}
      </a>
      <header className="bar">
        <Link to="/" className="brand" aria-label={text.shell.home}>
          <img src="/favicon.svg" alt="" width="28" height="28" />
          <span>WNIS</span>
        </Link>
        <nav aria-label={text.shell.pages}>
          <Link to="/" activeOptions={{ exact: true, includeSearch: false }}>
            {text.shell.map}
          </Link>
          <Link to="/components" activeOptions={{ includeSearch: false }}>
            {text.shell.components}
          </Link>
          <Link to="/incidents" activeOptions={{ includeSearch: false }}>
            {text.shell.incidents}
          </Link>
        </nav>
        <div className="bar-end">
          <NetworkChooser />
          <SystemStatus />
          <UserMenu person={person} />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}

function NetworkChooser() {
  const networks = useQuery(networksQuery());
  const chosen = useNetworkId();
  const navigate = useNavigate();
  if (!networks.data || networks.data.length === 0) return null;
  return (
    <>
      <label className="network-chooser">
        <span>{text.shell.network}</span>
        <select
          value={chosen ?? ""}
          onChange={(event) => void navigate({ to: "/", search: { network: event.target.value } })}
        >
          {networks.data.map((network) => (
            <option key={network.id} value={network.id}>
              {network.name}
            </option>
          ))}
        </select>
      </label>
      <Link to="/import" className="bar-link" aria-label={text.shell.import} title={text.shell.import}>
        <svg viewBox="0 0 16 16" aria-hidden="true" className="icon">
          <path d="M8 2.5v11M2.5 8h11" />
        </svg>
      </Link>
    </>
  );
}

function SystemStatus() {
  const { data, isError } = useQuery(readinessQuery());
  if (!data && !isError) return null;
  const status = data?.status ?? "down";
  const parts = Object.entries(data?.parts ?? {});
  return (
    <Disclosure
      className="status"
      label={
        <>
          <span className="status-dot" data-status={status} aria-hidden="true" />
          <span className="status-word">{text.shell.status[status]}</span>
        </>
      }
    >
      {parts.length === 0 ? (
        <p>{text.shell.unreachable}</p>
      ) : (
        <dl className="parts">
          {parts.map(([name, state]) => (
            <div key={name}>
              <dt>{text.shell.part(name)}</dt>
              <dd>{text.shell.partStates[state]}</dd>
            </div>
          ))}
        </dl>
      )}
    </Disclosure>
  );
}

function UserMenu({ person }: { person: Person }) {
  const [units, setUnits] = useUnits();
  const queries = useQueryClient();
  const leave = async (): Promise<void> => {
    await signOut();
    queries.clear();
  };
  return (
    <Disclosure
      className="user"
      label={
        <>
          <svg viewBox="0 0 16 16" aria-hidden="true" className="icon">
            <circle cx="8" cy="5" r="3" />
            <path d="M2 14.5c.6-3 3-4.5 6-4.5s5.4 1.5 6 4.5" />
          </svg>
          <span className="user-name">{person.username}</span>
        </>
      }
    >
      <p className="user-facts">
        <strong>{person.username}</strong>
        <span>{person.roles.map((role) => text.roles(role)).join(", ")}</span>
        <span>{text.shell.utility(person.utility)}</span>
      </p>
      <fieldset className="segmented">
        <legend>{text.units.legend}</legend>
        {(["si", "us"] as const).map((system) => (
          <label key={system}>
            <input
              type="radio"
              name="units"
              checked={units === system}
              onChange={() => {
                setUnits(system);
              }}
            />
            <span>{text.units[system]}</span>
          </label>
        ))}
      </fieldset>
      <button type="button" className="button" onClick={() => void leave()}>
        {text.session.signOut}
      </button>
    </Disclosure>
  );
}

/** A button that opens a small sheet; Escape and a click elsewhere close it. */
function Disclosure({
  label,
  className,
  children,
}: {
  label: React.ReactNode;
  className: string;
  children: React.ReactNode;
}) {
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event): void => {
      const element = details.current;
      if (!element?.open) return;
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !element.contains(event.target as Node)) {
        if (event instanceof KeyboardEvent && element.contains(document.activeElement)) {
          element.querySelector("summary")?.focus();
        }
        element.open = false;
      }
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, []);
  return (
    <details ref={details} className={`disclosure ${className}`}>
      <summary>{label}</summary>
      <div className="sheet">{children}</div>
    </details>
  );
}
