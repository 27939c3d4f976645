/**
 * Display units. The API speaks SI (m, m3/s, m of head); people read what they are used to.
 * Factors: 1 m of water = 1.4219702 psi (at 4 degrees C, as EPANET has it: 0.4333 psi/ft), 1 L/s = 15.850323 gpm.
 */

export type UnitSystem = "si" | "us";

export type Quantity =
  | "pressure"
  | "head"
  | "headloss"
  | "elevation"
  | "length"
  | "diameter"
  | "tank_diameter"
  | "flow"
  | "velocity"
  | "volume"
  | "power"
  | "plain";

interface Unit {
  symbol: string;
  perSi: number;
  digits: number;
}

const FEET = 1 / 0.3048;
const PSI_PER_METRE = 0.4333 * FEET;
const GPM_PER_M3S = 15_850.323_14;

const UNITS: Record<Quantity, Record<UnitSystem, Unit>> = {
  pressure: { si: { symbol: "m", perSi: 1, digits: 1 }, us: { symbol: "psi", perSi: PSI_PER_METRE, digits: 1 } },
  head: { si: { symbol: "m", perSi: 1, digits: 1 }, us: { symbol: "ft", perSi: FEET, digits: 1 } },
  headloss: { si: { symbol: "m", perSi: 1, digits: 2 }, us: { symbol: "ft", perSi: FEET, digits: 2 } },
  elevation: { si: { symbol: "m", perSi: 1, digits: 1 }, us: { symbol: "ft", perSi: FEET, digits: 1 } },
  length: { si: { symbol: "m", perSi: 1, digits: 1 }, us: { symbol: "ft", perSi: FEET, digits: 0 } },
  diameter: { si: { symbol: "mm", perSi: 1000, digits: 0 }, us: { symbol: "in", perSi: 12 * FEET, digits: 1 } },
  tank_diameter: { si: { symbol: "m", perSi: 1, digits: 1 }, us: { symbol: "ft", perSi: FEET, digits: 1 } },
  flow: { si: { symbol: "L/s", perSi: 1000, digits: 2 }, us: { symbol: "gpm", perSi: GPM_PER_M3S, digits: 1 } },
  velocity: { si: { symbol: "m/s", perSi: 1, digits: 2 }, us: { symbol: "ft/s", perSi: FEET, digits: 2 } },
  volume: { si: { symbol: "m³", perSi: 1, digits: 0 }, us: { symbol: "gal", perSi: 264.172_052, digits: 0 } },
  power: { si: { symbol: "kW", perSi: 1 / 1000, digits: 1 }, us: { symbol: "hp", perSi: 1 / 745.699_872, digits: 1 } },
  plain: { si: { symbol: "", perSi: 1, digits: 3 }, us: { symbol: "", perSi: 1, digits: 3 } },
};

export function unitSymbol(quantity: Quantity, system: UnitSystem): string {
  return UNITS[quantity][system].symbol;
}

/** `value` in SI, as a number of the display unit. */
export function inDisplayUnit(value: number, quantity: Quantity, system: UnitSystem): number {
  return value * UNITS[quantity][system].perSi;
}

/** `value` in SI, as words: "32.4 m", "46 psi". A value that rounding would lose keeps two digits. */
export function withUnit(value: number, quantity: Quantity, system: UnitSystem): string {
  const unit = UNITS[quantity][system];
  const shown = plainNumber(value * unit.perSi, unit.digits);
  return unit.symbol === "" ? shown : `${shown} ${unit.symbol}`;
}

/** A number with at most `digits` decimals, one more place when it would vanish, and no minus zero. */
export function plainNumber(value: number, digits: number): string {
  const vanishes = Math.abs(value) < 0.5 * 10 ** -digits;
  if (Math.abs(value) < 0.05 * 10 ** -digits) return "0";
  const options: Intl.NumberFormatOptions = vanishes
    ? { maximumSignificantDigits: 2, useGrouping: true }
    : { maximumFractionDigits: digits, useGrouping: true };
  return new Intl.NumberFormat("en", options)
    .format(value)
    .replace(/^-(?=0$)/, "")
    .replace("-", "\u2212");
}
