import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type SubmitEvent, useEffect, useState } from "react";
import { componentQuery, type IncidentSearch, incidentSearchQuery } from "../api/queries";
import type { IncidentHit } from "../api/types";
import { IncidentHead } from "../component/IncidentList";
import { without } from "../search";
import { text } from "../text";
import { Highlighted } from "../ui/Highlighted";
import { EmptyState, Failure, Loading } from "../ui/states";
import { plainNumber } from "../units/units";

const KINDS = ["break", "leak", "complaint", "quality", "outage"];
const HOPS = ["0", "1", "2", "3", "5", "10"];

/** Has this happened before? Words, and if wanted the surroundings of a component. */
export function IncidentSearchPage() {
  const { q, component, hops, kind } = useSearch({ from: "/incidents" });
  const navigate = useNavigate({ from: "/incidents" });
  const [words, setWords] = useState(q ?? "");
  useEffect(() => {
    document.title = text.title(text.shell.incidents);
  }, []);
  const search: IncidentSearch | null =
    q === undefined
      ? null
      : {
          query: q,
          limit: 20,
          ...(component !== undefined && { component_id: component, hops: Number(hops ?? "2") }),
          ...(kind !== undefined && { kind }),
        };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const wanted = words.trim();
    if (wanted !== "") void navigate({ search: (before) => ({ ...before, q: wanted }) });
  };
  return (
    <div className="page">
      <h1>{text.search.heading}</h1>
      <form className="card search-form" onSubmit={submit} role="search">
        <div className="search-words">
          <input
            type="search"
            aria-label={text.search.words}
            placeholder={text.search.placeholder}
            value={words}
            maxLength={1000}
            onChange={(event) => {
              setWords(event.target.value);
            }}
          />
          <button type="submit" className="button button-main">
            {text.search.submit}
          </button>
        </div>
        <div className="row search-limits">
          <label className="inline-field">
            <span>{text.search.kind}</span>
            <select
              value={kind ?? ""}
              onChange={(event) => {
                const chosen = event.target.value;
                void navigate({
                  search: (before) => (chosen === "" ? without(before, "kind") : { ...before, kind: chosen }),
                });
              }}
            >
              <option value="">{text.list.any}</option>
              {KINDS.map((each) => (
                <option key={each} value={each}>
                  {text.incidents.kinds(each)}
                </option>
              ))}
            </select>
          </label>
          {component !== undefined ? (
            <Near
              componentId={component}
              hops={hops ?? "2"}
              onHops={(chosen) => void navigate({ search: (before) => ({ ...before, hops: chosen }) })}
              onClear={() => void navigate({ search: (before) => without(before, "component", "hops") })}
            />
          ) : (
            <p className="faint">{text.search.nearHint}</p>
          )}
        </div>
      </form>
      {search === null ? (
        <EmptyState title={text.search.begin}>
          <ul className="examples">
            {text.search.examples.map((example) => (
              <li key={example}>
                <Link
                  to="/incidents"
                  search={(before) => ({ ...before, q: example })}
                  onClick={() => {
                    setWords(example);
                  }}
                >
                  {example}
                </Link>
              </li>
            ))}
          </ul>
        </EmptyState>
      ) : (
        <Results search={search} />
      )}
    </div>
  );
}

function Near({
  componentId,
  hops,
  onHops,
  onClear,
}: {
  componentId: string;
  hops: string;
  onHops: (hops: string) => void;
  onClear: () => void;
}) {
  const component = useQuery(componentQuery(componentId));
  const choices = HOPS.includes(hops) ? HOPS : [...HOPS, hops];
  return (
    <div className="near">
      <label className="inline-field">
        <span>{text.search.within}</span>
        <select
          value={hops}
          onChange={(event) => {
            onHops(event.target.value);
          }}
        >
          {choices.map((each) => (
            <option key={each} value={each}>
              {text.search.hops(Number(each))}
            </option>
          ))}
        </select>
      </label>
      <span>
        {text.search.of}{" "}
        <Link to="/component" search={{ id: componentId }}>
          {component.data ? `${text.types(component.data.type)} ${component.data.name}` : componentId}
        </Link>
      </span>
      <button type="button" className="button button-small" onClick={onClear}>
        {text.search.everywhere}
      </button>
    </div>
  );
}

function Results({ search }: { search: IncidentSearch }) {
  const found = useQuery(incidentSearchQuery(search));
  if (found.isPending) return <Loading what={text.search.loading} />;
  if (found.isError) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data.length === 0) {
    return (
      <EmptyState title={text.search.none}>
        <p>{text.search.noneWhat}</p>
      </EmptyState>
    );
  }
  return (
    <ol className="hits" aria-label={text.search.results}>
      {found.data.map((hit) => (
        <li key={hit.incident.id} className="card">
          <Hit hit={hit} />
        </li>
      ))}
    </ol>
  );
}

function Hit({ hit }: { hit: IncidentHit }) {
  const { incident, parts } = hit;
  return (
    <>
      <div className="hit-head">
        <IncidentHead incident={incident} />
        <dl className="scores" title={text.search.scoreWhat}>
          <Score label={text.search.score} value={hit.score} />
          <Score label={text.search.semantic} value={parts["semantic"]} />
          <Score label={text.search.lexical} value={parts["lexical"]} />
        </dl>
      </div>
      {incident.narrative && (
        <p>
          <Highlighted words={incident.narrative} marks={hit.highlights} />
        </p>
      )}
      <p className="hit-facts">
        {incident.cause && <span>{text.search.cause(incident.cause)}</span>}
        {incident.repair && <span>{text.search.repair(incident.repair)}</span>}
        {hit.components.map((component) => (
          <Link key={component.id} to="/" search={{ component: component.id }}>
            {text.search.onMap(`${text.types(component.type)} ${component.name}`)}
          </Link>
        ))}
        {hit.hops !== null && <span className="faint">{text.search.away(hit.hops)}</span>}
      </p>
    </>
  );
}

function Score({ label, value }: { label: string; value: number | null | undefined }) {
  if (value === null || value === undefined) return null;
  return (
    <div>
      <dt>{label}</dt>
      <dd>{plainNumber(value, 2)}</dd>
    </div>
  );
}
