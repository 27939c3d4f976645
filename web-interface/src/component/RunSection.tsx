import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { runQuery, seriesQuery } from "../api/queries";
import type { Component, LatestResult } from "../api/types";
import { SeriesChart } from "../chart/SeriesChart";
import { isLink } from "../map/network";
import { text } from "../text";
import { Badge } from "../ui/marks";
import { Failure, Loading } from "../ui/states";
import { useUnits } from "../units/preference";
import { ago, moment, runClock } from "../units/time";
import { inDisplayUnit, type Quantity, unitSymbol, withUnit } from "../units/units";

const NODE_QUANTITIES = ["pressure", "head", "demand"] as const;
const LINK_QUANTITIES = ["flow", "velocity", "headloss"] as const;
type RunQuantity = (typeof NODE_QUANTITIES)[number] | (typeof LINK_QUANTITIES)[number];

const MEASURED: Record<RunQuantity, Quantity> = {
  pressure: "pressure",
  head: "head",
  demand: "flow",
  flow: "flow",
  velocity: "velocity",
  headloss: "headloss",
};

/** a run of one moment has no least and greatest */
const STEADY: readonly [property: string, quantity: RunQuantity][] = [
  ["pressure_mean_m", "pressure"],
  ["head_mean_m", "head"],
  ["demand_mean_m3s", "demand"],
  ["flow_mean_m3s", "flow"],
  ["velocity_mean_ms", "velocity"],
  ["headloss_mean_m", "headloss"],
];

const SUMMARY: readonly [property: string, quantity: Quantity][] = [
  ["pressure_min_m", "pressure"],
  ["pressure_mean_m", "pressure"],
  ["pressure_max_m", "pressure"],
  ["demand_mean_m3s", "flow"],
  ["flow_mean_m3s", "flow"],
  ["flow_max_m3s", "flow"],
  ["velocity_max_ms", "velocity"],
  ["headloss_max_m", "headloss"],
];

/** What the last hydraulic run says about the component: the summary, the series, and which run it was. */
export function RunSection({ component }: { component: Component }) {
  const result = component.latest_simulation;
  return (
    <section className="section" aria-labelledby="run">
      <h2 id="run">{text.run.heading}</h2>
      {result ? <RunOf component={component} result={result} /> : <p className="faint">{text.run.none}</p>}
    </section>
  );
}

function RunOf({ component, result }: { component: Component; result: LatestResult }) {
  const [units] = useUnits();
  const quantities: readonly RunQuantity[] = isLink(component.type) ? LINK_QUANTITIES : NODE_QUANTITIES;
  const [quantity, setQuantity] = useState<RunQuantity>(quantities[0] ?? "pressure");
  const run = useQuery(runQuery(result.run_id));
  const steady = run.data?.steps === 1;
  const shown = steady
    ? STEADY.map(([property, each]) => [text.run.quantities[each], property, MEASURED[each]] as const)
    : SUMMARY.map(([property, measured]) => [text.run.summary(property), property, measured] as const);
  const numbers = shown.flatMap(([label, property, measured]) => {
    const value = result.summary[property];
    return typeof value === "number" ? [{ label, value: withUnit(value, measured, units) }] : [];
  });
  const lowFor = result.summary["low_pressure_s"];
  const threshold = result.summary["low_pressure_threshold_m"];
  if (run.isPending) return <Loading what={text.run.loading} />;
  return (
    <>
      {typeof lowFor === "number" && lowFor > 0 && typeof threshold === "number" && (
        <p className="notice">{text.run.low(withUnit(threshold, "pressure", units), runClock(lowFor))}</p>
      )}
      <dl className="numbers">
        {numbers.map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {steady ? (
        <p className="faint">{text.run.steady}</p>
      ) : (
        <>
          <fieldset className="segmented">
            <legend className="visually-hidden">{text.run.quantity}</legend>
            {quantities.map((each) => (
              <label key={each}>
                <input
                  type="radio"
                  name={`quantity-${component.id}`}
                  checked={each === quantity}
                  onChange={() => {
                    setQuantity(each);
                  }}
                />
                <span>{text.run.quantities[each]}</span>
              </label>
            ))}
          </fieldset>
          <Series runId={result.run_id} componentId={component.id} quantity={quantity} />
        </>
      )}
      {run.data && (
        <p className="provenance">
          {text.run.by(run.data.engine, run.data.engine_version, run.data.demand_model)}
          {run.data.finished_at && (
            <>
              {", "}
              <time dateTime={run.data.finished_at} title={ago(run.data.finished_at)}>
                {moment(run.data.finished_at)}
              </time>
            </>
          )}
          <br />
          {text.run.id} <code>{run.data.id}</code>
          {run.data.warnings.length > 0 && <Badge tone="warn">{text.run.warnings(run.data.warnings.length)}</Badge>}
        </p>
      )}
    </>
  );
}

function Series({ runId, componentId, quantity }: { runId: string; componentId: string; quantity: RunQuantity }) {
  const [units] = useUnits();
  const series = useQuery(seriesQuery(runId, componentId, quantity));
  const measured = MEASURED[quantity];
  const values = useMemo(
    () =>
      series.data?.values.map((value) => (typeof value === "number" ? inDisplayUnit(value, measured, units) : null)) ??
      [],
    [series.data, measured, units],
  );
  if (series.isPending) return <Loading what={text.run.loading} />;
  if (series.isError) return <Failure error={series.error} onRetry={() => void series.refetch()} />;
  return (
    <SeriesChart
      label={text.run.quantities[quantity]}
      unit={unitSymbol(measured, units)}
      timesS={series.data.times_s}
      values={values}
    />
  );
}
