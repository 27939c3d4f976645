import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { incidentsOfQuery } from "../api/queries";
import type { Incident } from "../api/types";
import { text } from "../text";
import { Badge, SyntheticBadge } from "../ui/marks";
import { Failure, Loading } from "../ui/states";
import { day } from "../units/time";

export function IncidentList({ componentId, name }: { componentId: string; name: string }) {
  const incidents = useQuery(incidentsOfQuery(componentId));
  return (
    <section className="section" aria-labelledby="incidents-of">
      <h2 id="incidents-of">{text.incidents.of}</h2>
      {incidents.isPending && <Loading what={text.incidents.loading} />}
      {incidents.isError && <Failure error={incidents.error} onRetry={() => void incidents.refetch()} />}
      {incidents.isSuccess &&
        (incidents.data.length === 0 ? (
          <p className="faint">{text.incidents.none}</p>
        ) : (
          <ol className="incidents">
            {incidents.data.map((incident) => (
              <li key={incident.id}>
                <IncidentHead incident={incident} />
                {incident.narrative && <p>{incident.narrative}</p>}
              </li>
            ))}
          </ol>
        ))}
      <Link to="/incidents" search={{ component: componentId, hops: "2" }} className="section-link">
        {text.incidents.near(name)}
      </Link>
    </section>
  );
}

export function IncidentHead({ incident }: { incident: Incident }) {
  return (
    <p className="incident-head">
      <strong>{text.incidents.kinds(incident.kind)}</strong>
      <time dateTime={incident.occurred_at}>{day(incident.occurred_at)}</time>
      {incident.severity && <span>{text.incidents.severity(incident.severity)}</span>}
      {incident.status === "open" && <Badge tone="warn">{text.incidents.open}</Badge>}
      {incident.synthetic && <SyntheticBadge />}
    </p>
  );
}
