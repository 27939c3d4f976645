import type { UnitSystem } from "../units/units";

/** A bar of a round length: its width on the screen and what it says. */
export interface ScaleBar {
  widthPx: number;
  label: string;
}

const EARTH_M_PER_DEGREE = 111_319.49;

/** The largest 1, 2 or 5 times a power of ten that is not above `length`. */
export function roundLength(length: number): number {
  const power = 10 ** Math.floor(Math.log10(length));
  const lead = length / power;
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power;
}

/**
 * Scale bar for a view.
 *
 * `degreesPerPixel` along the parallel at `latitude`; `planeScale` is degrees per source unit where the network has no
 * coordinate reference system: its bar then counts the file's own units, as nobody knows what they are.
 */
export function scaleBar(
  degreesPerPixel: number,
  latitude: number,
  planeScale: number | null,
  system: UnitSystem,
  maxPx = 110,
): ScaleBar {
  if (planeScale !== null) {
    const perPixel = degreesPerPixel / planeScale;
    const length = roundLength(perPixel * maxPx);
    return { widthPx: length / perPixel, label: `${new Intl.NumberFormat("en").format(length)} units of the file` };
  }
  const metresPerPixel = degreesPerPixel * EARTH_M_PER_DEGREE * Math.cos((latitude * Math.PI) / 180);
  const [small, large, perLarge, metresPerSmall] =
    system === "si" ? (["m", "km", 1000, 1] as const) : (["ft", "mi", 5280, 0.3048] as const);
  const smallPerPixel = metresPerPixel / metresPerSmall;
  if (smallPerPixel * maxPx >= perLarge) {
    const perPixel = smallPerPixel / perLarge;
    const length = roundLength(perPixel * maxPx);
    return { widthPx: length / perPixel, label: `${length} ${large}` };
  }
  const length = roundLength(smallPerPixel * maxPx);
  return { widthPx: length / smallPerPixel, label: `${length} ${small}` };
}
