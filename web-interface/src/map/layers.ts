/** The style of the network map: no basemap, no fonts, nothing fetched. */
import type {
  DataDrivenPropertyValueSpecification,
  ExpressionSpecification,
  FilterSpecification,
  LayerSpecification,
  StyleSpecification,
} from "maplibre-gl";
import {
  type ColourBy,
  HEALTH_CLASSES,
  isPressure,
  NEUTRAL_LINK_COLOUR,
  NEUTRAL_NODE_COLOUR,
  NO_VALUE_COLOUR,
  PRESSURE_CLASSES,
  PROBABILITY_CLASSES,
} from "./colouring";
import { SYMBOLS } from "./symbols";

export const SOURCE = "network";
export const PLANE_COLOUR = "#f4f7f9";
export const SELECTED_COLOUR = "#0b7fd6";

/** Layers that answer to the pointer, topmost first. */
export const TOUCHABLE = ["symbols", "fittings", "link-symbols", "nodes", "links"];

interface ClassLook {
  colour: string;
  weight: number;
}

function looks(colourBy: ColourBy): readonly ClassLook[] {
  if (colourBy === "health") return HEALTH_CLASSES;
  return colourBy === "probability" ? PROBABILITY_CLASSES : PRESSURE_CLASSES;
}

function byClass<T extends string | number>(values: readonly T[], otherwise: T): ExpressionSpecification {
  const pairs = values.flatMap((value, at) => [at, value]);
  return ["match", ["get", "cls"], ...pairs, otherwise] as unknown as ExpressionSpecification;
}

/** `size` at zoom steps times the weight of the class; MapLibre wants the zoom outermost. */
function sized(steps: readonly [zoom: number, size: number][], weight: ExpressionSpecification | number) {
  return [
    "interpolate",
    ["exponential", 1.5],
    ["zoom"],
    ...steps.flatMap(([zoom, size]) => [zoom, ["*", size, weight]]),
  ] as unknown as DataDrivenPropertyValueSpecification<number>;
}

export interface Paint {
  linkColour: DataDrivenPropertyValueSpecification<string>;
  linkWidth: DataDrivenPropertyValueSpecification<number>;
  nodeColour: DataDrivenPropertyValueSpecification<string>;
  nodeRadius: DataDrivenPropertyValueSpecification<number>;
  nodeStroke: number;
}

/**
 * `zoom` is where the whole network fits the screen: sizes grow from there, whatever the network's extent.
 * `small` below 1 shrinks them there for a small screen, on which the same network is more crowded.
 */
export function paintOf(colourBy: ColourBy, zoom: number, small = 1): Paint {
  const classes = looks(colourBy);
  const colour = byClass(
    classes.map((each) => each.colour),
    NO_VALUE_COLOUR,
  );
  const weight = byClass(
    classes.map((each) => each.weight),
    1,
  );
  const links: [number, number][] = [[zoom - 1, 1.2 * small], [zoom, 1.9 * small], [zoom + 3, 4], [zoom + 6, 8]]; // prettier-ignore
  const nodes: [number, number][] = [[zoom - 1, 1.8 * small], [zoom, 2.8 * small], [zoom + 3, 5.5], [zoom + 6, 10]]; // prettier-ignore
  const dots: [number, number][] = [[zoom, 0.4], [zoom + 1.5, 1.6], [zoom + 4, 4], [zoom + 6, 6]]; // prettier-ignore
  const onNodes = isPressure(colourBy);
  return {
    linkColour: onNodes ? NEUTRAL_LINK_COLOUR : colour,
    linkWidth: sized(links, onNodes ? 0.6 : weight),
    nodeColour: onNodes || colourBy === "health" ? colour : NEUTRAL_NODE_COLOUR,
    nodeRadius: onNodes ? sized(nodes, weight) : colourBy === "health" ? sized(dots, weight) : sized(dots, 1),
    nodeStroke: onNodes ? 0.75 : 0,
  };
}

const IS_LINK: FilterSpecification = ["==", ["geometry-type"], "LineString"];
const HAS_SYMBOL: ExpressionSpecification = ["in", ["get", "type"], ["literal", [...SYMBOLS]]];
/** What sits on pipes by the thousand: shown from where single streets can be told apart. */
const IS_FITTING: ExpressionSpecification = ["in", ["get", "type"], ["literal", ["Valve", "Hydrant"]]];
const FITTINGS_FROM = 2.5;

export function selectionFilter(id: string | null): FilterSpecification {
  return ["==", ["get", "id"], id ?? ""];
}

function both(...filters: FilterSpecification[]): FilterSpecification {
  return ["all", ...filters] as FilterSpecification;
}

export function isLinkSelected(id: string | null): FilterSpecification {
  return both(IS_LINK, selectionFilter(id));
}

export function isNodeSelected(id: string | null): FilterSpecification {
  return both(["!", IS_LINK] as unknown as FilterSpecification, selectionFilter(id));
}

export function networkStyle(colourBy: ColourBy, zoom: number): StyleSpecification {
  const paint = paintOf(colourBy, zoom);
  const round = { "line-cap": "round", "line-join": "round" } as const;
  const symbolSize = ["interpolate", ["linear"], ["zoom"], zoom - 1, 0.55, zoom, 0.7, zoom + 3, 1, zoom + 6, 1.3] as unknown as ExpressionSpecification; // prettier-ignore
  const layers: LayerSpecification[] = [
    { id: "plane", type: "background", paint: { "background-color": PLANE_COLOUR } },
    {
      id: "selected-link",
      type: "line",
      source: SOURCE,
      filter: isLinkSelected(null),
      layout: round,
      paint: { "line-color": SELECTED_COLOUR, "line-opacity": 0.55, "line-width": sized([[zoom - 1, 10], [zoom + 3, 20], [zoom + 6, 32]], 1) }, // prettier-ignore
    },
    {
      id: "links",
      type: "line",
      source: SOURCE,
      filter: IS_LINK,
      layout: round,
      paint: { "line-color": paint.linkColour, "line-width": paint.linkWidth },
    },
    {
      id: "selected-node",
      type: "circle",
      source: SOURCE,
      filter: isNodeSelected(null),
      paint: { "circle-color": SELECTED_COLOUR, "circle-opacity": 0.55, "circle-radius": sized([[zoom - 1, 9], [zoom + 3, 12], [zoom + 6, 18]], 1) }, // prettier-ignore
    },
    {
      id: "nodes",
      type: "circle",
      source: SOURCE,
      filter: both(
        ["!", IS_LINK] as unknown as FilterSpecification,
        ["!", HAS_SYMBOL] as unknown as FilterSpecification,
      ),
      paint: {
        "circle-color": paint.nodeColour,
        "circle-radius": paint.nodeRadius,
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": paint.nodeStroke,
      },
    },
    {
      id: "link-symbols",
      type: "symbol",
      source: SOURCE,
      filter: both(IS_LINK, HAS_SYMBOL),
      layout: {
        "symbol-placement": "line-center",
        "icon-image": ["get", "type"],
        "icon-size": symbolSize,
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "icon-rotation-alignment": "map",
      },
    },
    {
      id: "fittings",
      type: "symbol",
      source: SOURCE,
      minzoom: Math.min(zoom + FITTINGS_FROM, 24),
      filter: both(["!", IS_LINK] as unknown as FilterSpecification, IS_FITTING),
      layout: {
        "icon-image": ["get", "type"],
        "icon-size": symbolSize,
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
    },
    {
      id: "symbols",
      type: "symbol",
      source: SOURCE,
      filter: both(["!", IS_LINK] as unknown as FilterSpecification, HAS_SYMBOL, [
        "!",
        IS_FITTING,
      ] as unknown as FilterSpecification),
      layout: {
        "icon-image": ["get", "type"],
        "icon-size": symbolSize,
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
    },
  ];
  return {
    version: 8,
    sources: { [SOURCE]: { type: "geojson", data: { type: "FeatureCollection", features: [] }, tolerance: 0.2 } },
    layers,
  };
}
