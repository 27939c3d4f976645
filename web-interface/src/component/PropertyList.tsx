import type { Component } from "../api/types";
import { text } from "../text";
import { useUnits } from "../units/preference";
import { day, moment } from "../units/time";
import { plainNumber, type UnitSystem, withUnit } from "../units/units";
import { PROPERTIES, quantityOf } from "./properties";

/** The component's own properties, in the order of the trade and in the person's units. */
export function PropertyList({ component }: { component: Component }) {
  const [units] = useUnits();
  const { properties } = component;
  const known = PROPERTIES.filter((name) => isGiven(properties[name]));
  const others = Object.keys(properties).filter(
    (name) => !PROPERTIES.includes(name) && !HIDDEN.has(name) && isGiven(properties[name]),
  );
  const rows = [...known, ...others].map((name): [string, string] => [
    text.property(name),
    shown(name, properties[name], component.type, units),
  ]);
  const { customers } = component.counts;
  if (customers > 0) rows.push([text.component.customers, plainNumber(customers, 0)]);
  rows.push([text.component.network, component.network_name], [text.component.id, component.id]);
  return (
    <section className="section" aria-labelledby="properties">
      <h2 id="properties">{text.component.properties}</h2>
      <dl className="facts">
        {rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** shown elsewhere on the page, or of no use to a reader */
const HIDDEN = new Set(["health_reason", "synthetic", "x", "y", "created_at", "utility"]);

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined && value !== "";
}

function shown(name: string, value: unknown, type: string, units: UnitSystem): string {
  if (typeof value === "boolean") return value ? text.yes : text.no;
  if (typeof value === "number") {
    const quantity = quantityOf(name, type);
    return quantity === null ? plainNumber(value, 3) : withUnit(value, quantity, units);
  }
  if (typeof value === "string") {
    if (name === "material") return text.materials(value);
    if (name.endsWith("_date")) return day(value);
    if (name.endsWith("_at")) return moment(value);
    return name === "valve_kind" ? text.valveKinds(value) : value;
  }
  return Array.isArray(value) ? value.join(", ") : JSON.stringify(value);
}
