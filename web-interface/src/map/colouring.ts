/**
 * How a value becomes a colour: classes with fixed limits, so that two networks, and the same network next year, can be
 * compared. Palettes are told apart with the common colour-vision deficiencies; the classes that ask for attention are
 * drawn wider too, so that colour is never alone.
 */

export type ColourBy = "pressure_min" | "pressure_mean" | "probability" | "health";

export const COLOUR_BY: readonly ColourBy[] = ["pressure_min", "pressure_mean", "probability", "health"];

/** One class: values from `from` (inclusive) to the next class's `from`. `weight` multiplies widths. */
export interface ValueClass {
  from: number;
  colour: string;
  weight: number;
}

export type Health = "normal" | "warning" | "critical" | "unknown";

export const NO_VALUE_COLOUR = "#8b98a5";
export const NEUTRAL_LINK_COLOUR = "#a3b1bd";
export const NEUTRAL_NODE_COLOUR = "#7b8a98";

/** m of water: 14 m (20 psi) is the least that most rules ask for, above 70 m (100 psi) mains and fittings suffer. */
export const PRESSURE_CLASSES: readonly ValueClass[] = [
  { from: Number.NEGATIVE_INFINITY, colour: "#8e0c25", weight: 1.5 },
  { from: 14, colour: "#e2702a", weight: 1.25 },
  { from: 28, colour: "#7db8da", weight: 1 },
  { from: 42, colour: "#3d8fc4", weight: 1 },
  { from: 56, colour: "#1f5f9e", weight: 1 },
  { from: 70, colour: "#43197a", weight: 1.25 },
];

/** probability of at least one failure within a year */
export const PROBABILITY_CLASSES: readonly ValueClass[] = [
  { from: 0, colour: "#a9bccb", weight: 0.8 },
  { from: 0.01, colour: "#efc341", weight: 1 },
  { from: 0.02, colour: "#e97d1a", weight: 1.25 },
  { from: 0.05, colour: "#cb3a24", weight: 1.6 },
  { from: 0.1, colour: "#93103f", weight: 2 },
  { from: 0.2, colour: "#430a4b", weight: 2.4 },
];

export const HEALTH_CLASSES: readonly { health: Health; colour: string; weight: number }[] = [
  { health: "normal", colour: "#1d8f72", weight: 1 },
  { health: "warning", colour: "#e8a10c", weight: 1.5 },
  { health: "critical", colour: "#b3122b", weight: 2 },
  { health: "unknown", colour: NO_VALUE_COLOUR, weight: 0.8 },
];

/** Place of the class that holds `value`; -1 when there is no value. */
export function classOf(classes: readonly ValueClass[], value: number | null | undefined): number {
  if (value === null || value === undefined || Number.isNaN(value)) return -1;
  let found = 0;
  for (let at = 1; at < classes.length; at += 1) {
    if (value >= (classes[at]?.from ?? Number.POSITIVE_INFINITY)) found = at;
  }
  return found;
}

export function healthClass(health: string): { health: Health; colour: string; weight: number } {
  const found = HEALTH_CLASSES.find((each) => each.health === health) ?? HEALTH_CLASSES.at(-1);
  if (!found) throw new Error("no health classes");
  return found;
}

export function isPressure(colourBy: ColourBy): boolean {
  return colourBy === "pressure_min" || colourBy === "pressure_mean";
}
