import { describe, expect, it } from "vitest";
import { lifeSpan, percent } from "./probability";
import { ago, day, runClock } from "./time";
import { inDisplayUnit, plainNumber, withUnit } from "./units";

describe("display units", () => {
  it("turn SI into what the trade reads", () => {
    expect(withUnit(0.3, "diameter", "si")).toBe("300 mm");
    expect(withUnit(0.3048, "diameter", "us")).toBe("12 in");
    expect(withUnit(0.0125, "flow", "si")).toBe("12.5 L/s");
    expect(withUnit(0.001, "flow", "us")).toBe("15.9 gpm");
    expect(withUnit(28.13, "pressure", "us")).toBe("40 psi");
  });

  it("have the limit of 14 m of water at 20 psi", () => {
    expect(inDisplayUnit(14, "pressure", "us")).toBeCloseTo(19.9, 1);
  });
});

describe("numbers", () => {
  it("keep a value that rounding would lose, and call a vanishing one 0", () => {
    expect([0.004, 0.0004, -0.0001, 0].map((value) => plainNumber(value, 2))).toEqual(["0.004", "0", "0", "0"]);
  });

  it("group thousands and use a real minus", () => {
    expect(plainNumber(-12345.678, 1)).toBe("\u221212,345.7");
  });
});

describe("probabilities", () => {
  it("carry the digits they deserve", () => {
    expect([0, 0.00001, 0.0004, 0.0321, 0.413, 0.9995].map(percent)).toEqual([
      "0 %",
      "< 0.01 %",
      "0.04 %",
      "3.2 %",
      "41 %",
      "> 99.9 %",
    ]);
  });

  it("speak of lives in days, months or years", () => {
    expect([1, 45, 400, 9131].map(lifeSpan)).toEqual(["1 day", "45 days", "13 months", "25 years"]);
  });
});

describe("times", () => {
  it("keep a calendar day where it is", () => {
    expect([day("2015-03-12"), day("2015-03-12T23:59:00Z")]).toEqual(["12 Mar 2015", "12 Mar 2015"]);
  });

  it("say how long ago", () => {
    const now = Date.parse("2026-11-21T10:00:00Z");
    expect(ago("2026-11-21T09:48:00Z", now)).toBe("12 minutes ago");
    expect(ago("2024-11-21T09:48:00Z", now)).toBe("2 years ago");
  });

  it("count the clock of a run", () => {
    expect([0, 5400, 86_400, 95_400].map(runClock)).toEqual(["00:00", "01:30", "day 2, 00:00", "day 2, 02:30"]);
  });
});
