import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { componentQuery } from "../api/queries";
import { text } from "../text";
import { Badge, HealthMark, SyntheticBadge } from "../ui/marks";
import { Failure, Loading } from "../ui/states";
import { ConnectedList } from "./ConnectedList";
import { IncidentList } from "./IncidentList";
import { PredictionSection } from "./PredictionSection";
import { PropertyList } from "./PropertyList";
import { RunSection } from "./RunSection";

const CAN_FAIL = new Set(["Pipe", "Valve", "Pump"]);

interface Props {
  id: string;
  actions: ReactNode;
  /** links to other components stay on the map */
  onMap?: boolean;
}

/** All that is known about one component. */
export function ComponentView({ id, actions, onMap = false }: Props) {
  const component = useQuery(componentQuery(id));
  const name = component.data?.name;
  useEffect(() => {
    if (name !== undefined) document.title = text.title(name);
  }, [name]);
  if (component.isPending) return <Loading what={text.component.loading} />;
  if (component.isError) {
    return (
      <div className="section">
        <Failure error={component.error} onRetry={() => void component.refetch()} />
      </div>
    );
  }
  const found = component.data;
  const reason = found.properties["health_reason"];
  return (
    <article className="component">
      <header className="component-head">
        <p className="component-kind">
          {text.types(found.type)}
          {found.zone && <span> · {found.zone.name}</span>}
        </p>
        <h1>{found.name}</h1>
        <p className="component-marks">
          <HealthMark health={found.health} />
          <Badge>{text.statuses(found.status)}</Badge>
          {found.retired_at && <Badge tone="bad">{text.component.retired}</Badge>}
          {found.properties["synthetic"] === true && <SyntheticBadge />}
        </p>
        {typeof reason === "string" && <p className="component-reason">{reason}</p>}
        <div className="row">{actions}</div>
      </header>
      <div className="component-column">
        {CAN_FAIL.has(found.type) && <PredictionSection component={found} />}
        <RunSection component={found} />
      </div>
      <div className="component-column">
        <PropertyList component={found} />
        <ConnectedList component={found} onMap={onMap} />
        <IncidentList componentId={id} name={found.name} />
      </div>
    </article>
  );
}
