/** A probability as a per cent, with the digits it deserves: "0.04 %", "3.2 %", "41 %". */
export function percent(probability: number): string {
  const value = probability * 100;
  if (value <= 0) return "0 %";
  if (value < 0.01) return "< 0.01 %";
  if (value > 99.9) return "> 99.9 %";
  const digits = value < 0.1 ? 2 : value < 10 ? 1 : 0;
  return `${new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value)} %`;
}

/** Days as the words of a planner: "8 months", "23 years". */
export function lifeSpan(days: number): string {
  if (days < 60) return plural(Math.round(days), "day");
  if (days < 730) return plural(Math.round(days / 30.4375), "month");
  return plural(Math.round(days / 365.25), "year");
}

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
