import type { Quantity } from "../units/units";

/** Properties in reading order; what the schema gains later follows these. */
export const PROPERTIES: readonly string[] = [
  "material",
  "install_date",
  "lined_date",
  "valve_kind",
  "diameter_m",
  "length_m",
  "roughness",
  "minor_loss",
  "check_valve",
  "setting",
  "elevation_m",
  "head_m",
  "base_demand_m3s",
  "init_level_m",
  "min_level_m",
  "max_level_m",
  "level_fraction",
  "capacity_m3",
  "min_volume_m3",
  "power_w",
  "head_curve",
  "speed",
  "quantity",
  "manufacturer",
  "description",
  "tag",
  "source_id",
];

const BY_SUFFIX: readonly [suffix: string, quantity: Quantity][] = [
  ["_m3s", "flow"],
  ["_ms", "velocity"],
  ["_m3", "volume"],
  ["_w", "power"],
  ["_m", "length"],
];

const BY_NAME: Readonly<Record<string, Quantity>> = {
  diameter_m: "diameter",
  elevation_m: "elevation",
  head_m: "head",
  init_level_m: "elevation",
  min_level_m: "elevation",
  max_level_m: "elevation",
};

/** What a numeric property measures: its name carries the SI unit. Null for numbers without one. */
export function quantityOf(name: string, componentType: string): Quantity | null {
  if (name === "diameter_m" && componentType === "Tank") return "tank_diameter";
  if (name.startsWith("pressure_")) return "pressure";
  if (name.startsWith("headloss_")) return "headloss";
  if (name.startsWith("head_") && name.endsWith("_m")) return "head";
  return BY_NAME[name] ?? BY_SUFFIX.find(([suffix]) => name.endsWith(suffix))?.[1] ?? null;
}
