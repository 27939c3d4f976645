import { text } from "../text";
import { useUnits } from "../units/preference";
import { percent } from "../units/probability";
import { withUnit } from "../units/units";
import type { ColourBy } from "./colouring";
import type { NetworkFeature } from "./network";

/** The name of a component and the one value the map is about. */
export function MapTooltip({ feature, colourBy }: { feature: NetworkFeature; colourBy: ColourBy }) {
  const [units] = useUnits();
  const {
    type,
    name,
    health,
    diameter_m,
    material,
    failure_probability: probability,
    pressure_min_m,
    pressure_mean_m,
  } = feature.properties;
  const facts: string[] = [];
  if (typeof diameter_m === "number" && type !== "Tank") facts.push(withUnit(diameter_m, "diameter", units));
  if (material) facts.push(text.materials(material));
  const pressure = colourBy === "pressure_mean" ? pressure_mean_m : pressure_min_m;
  let value: string | null = null;
  if (colourBy === "health") value = text.health[health as keyof typeof text.health];
  else if (typeof probability === "number" && (colourBy === "probability" || typeof pressure !== "number")) {
    value = text.map.failureInYear(percent(probability));
  } else if (typeof pressure === "number") {
    value = text.map.pressureIs(
      withUnit(pressure, "pressure", units),
      colourBy === "pressure_mean" ? "mean" : "lowest",
    );
  }
  return (
    <>
      <strong>
        {text.types(type)} {name}
      </strong>
      {facts.length > 0 && <span>{facts.join(", ")}</span>}
      {value !== null && <span>{value}</span>}
    </>
  );
}
