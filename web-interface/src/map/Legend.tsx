import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { startPredictions, startSimulation } from "../api/queries";
import { text } from "../text";
import { JobRunner } from "../ui/JobRunner";
import { useUnits } from "../units/preference";
import { inDisplayUnit, plainNumber, unitSymbol, type UnitSystem } from "../units/units";
import {
  type ColourBy,
  HEALTH_CLASSES,
  isPressure,
  NO_VALUE_COLOUR,
  PRESSURE_CLASSES,
  PROBABILITY_CLASSES,
  type ValueClass,
} from "./colouring";
import { countByClass, type NetworkFeature } from "./network";

interface Entry {
  label: string;
  colour: string;
  weight: number;
  count: number;
}

interface Props {
  features: readonly NetworkFeature[];
  colourBy: ColourBy;
  networkId: string;
}

/** What the colours mean, with the limits of the classes in the person's units and how many components fall in each. */
export function Legend({ features, colourBy, networkId }: Props) {
  const [units] = useUnits();
  const queries = useQueryClient();
  const { entries, without } = useMemo(() => entriesOf(features, colourBy, units), [features, colourBy, units]);
  const nodes = isPressure(colourBy);
  const empty = colourBy !== "health" && entries.every((entry) => entry.count === 0);
  const refresh = async (): Promise<void> => {
    await queries.invalidateQueries();
  };
  return (
    <details className="legend" open>
      <summary>
        <span>{text.legend.title[colourBy]}</span>
        <span className="legend-unit">{nodes ? unitSymbol("pressure", units) : text.legend.unit[colourBy]}</span>
      </summary>
      {empty ? (
        <div className="legend-empty">
          <p>{text.legend.none[colourBy]}</p>
          {nodes ? (
            <JobRunner label={text.legend.run} start={() => startSimulation(networkId)} onDone={refresh} />
          ) : (
            <JobRunner label={text.legend.predict} start={startPredictions} onDone={refresh} />
          )}
        </div>
      ) : (
        <ul>
          {entries.map((entry) => (
            <li key={entry.label}>
              <Swatch entry={entry} round={nodes} />
              <span>{entry.label}</span>
              <span className="legend-count">{plainNumber(entry.count, 0)}</span>
            </li>
          ))}
          {without > 0 && (
            <li>
              <Swatch entry={{ label: "", colour: NO_VALUE_COLOUR, weight: 1, count: without }} round={nodes} />
              <span>{text.legend.noValue}</span>
              <span className="legend-count">{plainNumber(without, 0)}</span>
            </li>
          )}
        </ul>
      )}
      {!empty && <p className="legend-foot">{text.legend.counts[colourBy]}</p>}
    </details>
  );
}

function entriesOf(features: readonly NetworkFeature[], colourBy: ColourBy, units: UnitSystem) {
  if (colourBy === "health") {
    const counts = countByClass(features, colourBy, HEALTH_CLASSES.length);
    const entries = HEALTH_CLASSES.map(({ health, colour, weight }, at): Entry => ({
      label: text.health[health],
      colour,
      weight,
      count: counts[at] ?? 0,
    }));
    return { entries, without: 0 };
  }
  const classes = colourBy === "probability" ? PROBABILITY_CLASSES : PRESSURE_CLASSES;
  const counts = countByClass(features, colourBy, classes.length);
  const number = (value: number): string =>
    colourBy === "probability" ? plainNumber(value * 100, 1) : plainNumber(inDisplayUnit(value, "pressure", units), 0);
  const entries = classes.map(({ colour, weight }, at): Entry => ({
    label: rangeOf(classes, at, number),
    colour,
    weight,
    count: counts[at] ?? 0,
  }));
  return { entries, without: counts.at(-1) ?? 0 };
}

export function rangeOf(classes: readonly ValueClass[], at: number, number: (value: number) => string): string {
  const from = classes[at]?.from ?? 0;
  const to = classes[at + 1]?.from;
  if (at === 0 && to !== undefined) return text.legend.below(number(to));
  if (to === undefined) return text.legend.above(number(from));
  return text.legend.between(number(from), number(to));
}

function Swatch({ entry, round }: { entry: Entry; round: boolean }) {
  return (
    <svg className="swatch" viewBox="0 0 22 12" aria-hidden="true">
      {round ? (
        <circle cx="11" cy="6" r={Math.min(5.5, 3.8 * entry.weight)} fill={entry.colour} />
      ) : (
        <line
          x1="2"
          x2="20"
          y1="6"
          y2="6"
          stroke={entry.colour}
          strokeWidth={2 + 1.5 * entry.weight}
          strokeLinecap="round"
        />
      )}
    </svg>
  );
}
