/** The network as the map draws it. */
import type { Feature, FeatureCollection, LineString, Point, Position } from "geojson";
import { type ColourBy, classOf, healthClass, PRESSURE_CLASSES, PROBABILITY_CLASSES } from "./colouring";

export interface MapProperties {
  id: string;
  type: string;
  name: string;
  status: string;
  health: string;
  material?: string | null;
  diameter_m?: number | null;
  pressure_min_m?: number | null;
  pressure_mean_m?: number | null;
  failure_probability?: number | null;
}

export type NetworkFeature = Feature<LineString | Point, MapProperties>;
export type NetworkFeatures = FeatureCollection<LineString | Point, MapProperties>;

/** What the paint expressions read: one class number a feature, computed once per colouring. */
export interface DrawnProperties extends MapProperties {
  cls: number;
}

export type Bounds = [west: number, south: number, east: number, north: number];

const LINKS = new Set(["Pipe", "Pump", "Valve"]);

export function isLink(type: string): boolean {
  return LINKS.has(type);
}

/** The class of a feature under a colouring, or -1 where the colouring says nothing about it. */
export function classUnder(colourBy: ColourBy, properties: MapProperties): number {
  switch (colourBy) {
    case "pressure_min":
      return classOf(PRESSURE_CLASSES, properties.pressure_min_m);
    case "pressure_mean":
      return classOf(PRESSURE_CLASSES, properties.pressure_mean_m);
    case "probability":
      return classOf(PROBABILITY_CLASSES, properties.failure_probability);
    case "health":
      return ["normal", "warning", "critical", "unknown"].indexOf(healthClass(properties.health).health);
  }
}

/** Features with their class; those that ask for attention come last, so that they are drawn on top. */
export function drawn(features: readonly NetworkFeature[], colourBy: ColourBy) {
  const classed = features.map((feature) => ({
    ...feature,
    properties: { ...feature.properties, cls: classUnder(colourBy, feature.properties) } satisfies DrawnProperties,
  }));
  const rank = (cls: number): number => {
    if (colourBy === "health") return [1, 2, 3, 0][cls] ?? 0;
    if (colourBy === "probability") return cls;
    return cls < 0 ? -1 : ([5, 4, 0, 1, 2, 3][cls] ?? 0);
  };
  return classed.sort((a, b) => rank(a.properties.cls) - rank(b.properties.cls));
}

/** How many features fall in each class; the last entry counts those without a value. */
export function countByClass(features: readonly NetworkFeature[], colourBy: ColourBy, classes: number): number[] {
  const counts = new Array<number>(classes + 1).fill(0);
  for (const feature of features) {
    const type = feature.properties.type;
    if (colourBy === "probability" ? type !== "Pipe" : colourBy !== "health" && type !== "Junction") continue;
    const at = classUnder(colourBy, feature.properties);
    const place = at < 0 ? classes : at;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}

export function boundsOf(features: readonly NetworkFeature[]): Bounds | null {
  const bounds: Bounds = [Infinity, Infinity, -Infinity, -Infinity];
  const widen = (position: Position): void => {
    const [x, y] = position;
    if (x === undefined || y === undefined) return;
    bounds[0] = Math.min(bounds[0], x);
    bounds[1] = Math.min(bounds[1], y);
    bounds[2] = Math.max(bounds[2], x);
    bounds[3] = Math.max(bounds[3], y);
  };
  for (const { geometry } of features) {
    if (geometry.type === "Point") widen(geometry.coordinates);
    else geometry.coordinates.forEach(widen);
  }
  return bounds[0] <= bounds[2] ? bounds : null;
}

/** Components whose name or id holds `words`; exact and leading matches first. */
export function findByName(features: readonly NetworkFeature[], words: string, limit: number): NetworkFeature[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === "") return [];
  const ranked: { feature: NetworkFeature; rank: number }[] = [];
  for (const feature of features) {
    const name = feature.properties.name.toLowerCase();
    const rank =
      name === wanted
        ? 0
        : name.startsWith(wanted)
          ? 1
          : name.includes(wanted)
            ? 2
            : feature.properties.id.toLowerCase().includes(wanted)
              ? 3
              : -1;
    if (rank >= 0) ranked.push({ feature, rank });
  }
  const collator = new Intl.Collator("en", { numeric: true });
  ranked.sort((a, b) => a.rank - b.rank || collator.compare(a.feature.properties.name, b.feature.properties.name));
  return ranked.slice(0, limit).map((each) => each.feature);
}
