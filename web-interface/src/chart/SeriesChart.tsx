import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { text } from "../text";
import { runClock } from "../units/time";
import { plainNumber } from "../units/units";

interface Props {
  label: string;
  unit: string;
  timesS: readonly number[];
  values: readonly (number | null)[];
}

const HEIGHT = 190;
const AXIS_FONT = '12px Roboto, "Liberation Sans", Arial, sans-serif';

/** One series of a run over its own clock; its label says the least and the greatest value. */
export function SeriesChart({ label, unit, timesS, values }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const ink = "#43586a";
    const grid = { stroke: "#e2e9ee", width: 1 };
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        scales: { x: { time: false } },
        legend: { live: true },
        cursor: { drag: { x: false, y: false } },
        series: [
          { label: text.run.time, value: (_, at: number | null) => (at === null ? "\u2013" : runClock(at)) },
          {
            label: `${label} (${unit})`,
            stroke: "#0a66ad",
            fill: "rgb(10 102 173 / 9%)",
            width: 2,
            points: { show: values.length === 1 },
            value: (_, at: number | null) => (at === null ? "\u2013" : plainNumber(at, 2)),
          },
        ],
        axes: [
          {
            stroke: ink,
            grid,
            ticks: grid,
            font: AXIS_FONT,
            incrs: [900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800],
            values: (_, at) => at.map((each) => (each >= 86_400 && each % 86_400 === 0 ? text.run.day(each / 86_400 + 1) : runClock(each % 86_400))), // prettier-ignore
          },
          {
            stroke: ink,
            grid,
            ticks: grid,
            font: AXIS_FONT,
            size: 56,
            values: (_, at) => at.map((each) => plainNumber(each, 2)),
          },
        ],
      },
      [[...timesS], [...values]],
      element,
    );
    const observer = new ResizeObserver(() => {
      plot.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [label, unit, timesS, values]);
  return <div ref={place} className="chart" role="img" aria-label={text.run.chart(label, unit, summary(values))} />;
}

function summary(values: readonly (number | null)[]): { least: string; most: string } {
  const known = values.filter((value) => value !== null);
  return { least: plainNumber(Math.min(...known), 2), most: plainNumber(Math.max(...known), 2) };
}
