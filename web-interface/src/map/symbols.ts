/** Symbols of the map, drawn here so that no picture and no font is fetched. Shapes follow drawings of the trade. */

export type SymbolName = "Tank" | "Reservoir" | "Pump" | "Valve" | "Hydrant" | "Sensor";

export const SYMBOLS: readonly SymbolName[] = ["Tank", "Reservoir", "Pump", "Valve", "Hydrant", "Sensor"];

const SIZE = 22;
export const SYMBOL_PIXEL_RATIO = 2;

const INK = "#0f2a3d";
const WATER = "#5cc4ec";

export function symbolImage(name: SymbolName): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE * SYMBOL_PIXEL_RATIO;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("this browser has no 2D canvas");
  pen.scale(SYMBOL_PIXEL_RATIO, SYMBOL_PIXEL_RATIO);
  pen.lineWidth = 1.6;
  pen.strokeStyle = INK;
  pen.lineJoin = "round";
  draw(name, pen);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

function draw(name: SymbolName, pen: CanvasRenderingContext2D): void {
  const shape = (points: [number, number][], fill: string): void => {
    pen.beginPath();
    points.forEach(([x, y], at) => {
      if (at === 0) pen.moveTo(x, y);
      else pen.lineTo(x, y);
    });
    pen.closePath();
    pen.fillStyle = fill;
    pen.fill();
    pen.stroke();
  };
  const disc = (radius: number, fill: string): void => {
    pen.beginPath();
    pen.arc(11, 11, radius, 0, 2 * Math.PI);
    pen.fillStyle = fill;
    pen.fill();
    pen.stroke();
  };
  switch (name) {
    case "Tank":
      shape([[4, 4], [18, 4], [18, 18], [4, 18]], "#ffffff"); // prettier-ignore
      shape([[4, 10], [18, 10], [18, 18], [4, 18]], WATER); // prettier-ignore
      return;
    case "Reservoir":
      shape([[2, 5], [20, 5], [15, 18], [7, 18]], WATER); // prettier-ignore
      return;
    case "Pump":
      disc(8, "#ffffff");
      shape([[8, 6.5], [16.5, 11], [8, 15.5]], INK); // prettier-ignore
      return;
    case "Valve":
      shape([[3, 6], [11, 11], [3, 16]], "#ffffff"); // prettier-ignore
      shape([[19, 6], [11, 11], [19, 16]], "#ffffff"); // prettier-ignore
      return;
    case "Hydrant":
      disc(6, "#d6442a");
      return;
    case "Sensor":
      disc(6, "#ffffff");
      disc(2, INK);
  }
}
