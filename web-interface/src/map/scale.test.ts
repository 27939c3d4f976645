import { expect, it } from "vitest";
import { roundLength, scaleBar } from "./scale";

it("chooses 1, 2 or 5 times a power of ten", () => {
  expect([1, 1.9, 2, 4.9, 5, 99, 730, 0.03].map(roundLength)).toEqual([1, 1, 2, 2, 5, 50, 500, 0.02]);
});

it("measures metres on the ground at the latitude of the view", () => {
  // one degree along the parallel of 60 degrees north is half of one at the equator
  const bar = scaleBar(1e-5, 60, null, "si");
  expect(bar.label).toBe("50 m");
  expect(bar.widthPx).toBeCloseTo(50 / (1e-5 * 111_319.49 * 0.5), 3);
});

it("speaks feet and miles to those who chose US units", () => {
  expect(scaleBar(1e-5, 0, null, "us").label).toBe("200 ft");
  expect(scaleBar(1e-3, 0, null, "us").label).toBe("5 mi");
});

it("counts the units of the file where there is no coordinate reference system", () => {
  // a plane of 0.000002 degrees a unit, 0.0001 degrees a pixel: 50 units a pixel
  const bar = scaleBar(1e-4, 0, 2e-6, "si");
  expect(bar.label).toBe("5,000 units of the file");
  expect(bar.widthPx).toBeCloseTo(100, 6);
});
