import { describe, expect, it } from "vitest";
import { classOf, HEALTH_CLASSES, healthClass, PRESSURE_CLASSES, PROBABILITY_CLASSES } from "./colouring";

describe("classes of pressure", () => {
  it("takes a limit into the class that begins there", () => {
    expect([13.99, 14, 27.99, 28, 69.99, 70].map((value) => classOf(PRESSURE_CLASSES, value))).toEqual([
      0, 1, 1, 2, 4, 5,
    ]);
  });

  it("gives negative pressure the lowest class, not none", () => {
    expect(classOf(PRESSURE_CLASSES, -12)).toBe(0);
  });

  it("has no class for what was not simulated", () => {
    expect([null, undefined, Number.NaN].map((value) => classOf(PRESSURE_CLASSES, value))).toEqual([-1, -1, -1]);
  });
});

describe("palettes", () => {
  // Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB
  const SEEN_AS: Record<string, readonly (readonly [number, number, number])[]> = {
    normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], // prettier-ignore
    deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]], // prettier-ignore
    protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]], // prettier-ignore
  };

  const linear = (hex: string): number[] =>
    [1, 3, 5].map((at) => {
      const value = parseInt(hex.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });

  /** CIE 1976 L*a*b* */
  const lab = (rgb: readonly number[]): [number, number, number] => {
    const [r = 0, g = 0, b = 0] = rgb.map((value) => Math.min(1, Math.max(0, value)));
    const f = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
    const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
    const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
  };

  const seen = (hex: string, eyes: string): [number, number, number] => {
    const rgb = linear(hex);
    return lab((SEEN_AS[eyes] ?? []).map((row) => row.reduce((sum, weight, at) => sum + weight * (rgb[at] ?? 0), 0)));
  };

  const palettes = { pressure: PRESSURE_CLASSES, probability: PROBABILITY_CLASSES, health: HEALTH_CLASSES };
  for (const [name, classes] of Object.entries(palettes)) {
    for (const eyes of Object.keys(SEEN_AS)) {
      it(`of ${name} keeps every two classes apart for ${eyes} eyes`, () => {
        const colours = classes.map(({ colour }) => seen(colour, eyes));
        for (const [at, one] of colours.entries()) {
          for (const other of colours.slice(at + 1)) {
            expect(Math.hypot(...one.map((value, axis) => value - (other[axis] ?? 0)))).toBeGreaterThan(12);
          }
        }
      });
    }
  }
});

it("shows a health it does not know as unknown", () => {
  expect(healthClass("splendid").health).toBe("unknown");
});
