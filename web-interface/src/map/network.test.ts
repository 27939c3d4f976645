import { describe, expect, it } from "vitest";
import { boundsOf, countByClass, drawn, findByName, type MapProperties, type NetworkFeature } from "./network";

function feature(properties: Partial<MapProperties> & { id: string }, at: [number, number] = [0, 0]): NetworkFeature {
  return {
    type: "Feature",
    geometry: { type: "Point", coordinates: at },
    properties: { type: "Junction", name: properties.id, status: "in_service", health: "normal", ...properties },
  };
}

describe("drawing order", () => {
  it("puts what asks for attention on top", () => {
    const features = [
      feature({ id: "low", pressure_min_m: 5 }),
      feature({ id: "good", pressure_min_m: 40 }),
      feature({ id: "none" }),
      feature({ id: "high", pressure_min_m: 90 }),
    ];
    expect(drawn(features, "pressure_min").map((each) => each.properties.id)).toEqual(["none", "good", "high", "low"]);
  });
});

describe("counts of the legend", () => {
  it("counts junctions for pressure and pipes for probability, and names those without a value", () => {
    const features = [
      feature({ id: "j1", pressure_min_m: 5 }),
      feature({ id: "j2" }),
      feature({ id: "t", type: "Tank", pressure_min_m: 5 }),
      feature({ id: "p1", type: "Pipe", failure_probability: 0.015 }),
    ];
    expect(countByClass(features, "pressure_min", 6)).toEqual([1, 0, 0, 0, 0, 0, 1]);
    expect(countByClass(features, "probability", 6)).toEqual([0, 1, 0, 0, 0, 0, 0]);
  });
});

describe("finding by name", () => {
  const features = ["P-10", "P-1", "XP-1", "P-2"].map((id) => feature({ id }));

  it("puts the exact name first, then names that begin so", () => {
    expect(findByName(features, "p-1", 9).map((each) => each.properties.name)).toEqual(["P-1", "P-10", "XP-1"]);
  });

  it("finds nothing for blanks", () => {
    expect(findByName(features, "  ", 9)).toEqual([]);
  });
});

describe("bounds", () => {
  it("hold every vertex", () => {
    const line: NetworkFeature = {
      ...feature({ id: "p", type: "Pipe" }),
      geometry: { type: "LineString", coordinates: [[1, 2], [5, -3], [2, 2]] }, // prettier-ignore
    };
    expect(boundsOf([line, feature({ id: "j" }, [0, 9])])).toEqual([0, -3, 5, 9]);
  });

  it("of nothing are nothing", () => {
    expect(boundsOf([])).toBeNull();
  });
});
