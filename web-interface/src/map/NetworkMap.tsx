import {
  type FitBoundsOptions,
  type GeoJSONSource,
  Map as MapLibreMap,
  type MapMouseEvent,
  setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { text } from "../text";
import { useUnits } from "../units/preference";
import type { ColourBy } from "./colouring";
import { isLinkSelected, isNodeSelected, networkStyle, paintOf, SOURCE, TOUCHABLE } from "./layers";
import { type Bounds, boundsOf, drawn, type NetworkFeature } from "./network";
import { scaleBar, type ScaleBar } from "./scale";
import { symbolImage, SYMBOL_PIXEL_RATIO, SYMBOLS } from "./symbols";

setWorkerUrl(workerUrl);

/** pixels around the pointer that still count as a hit: a pipe is 2 px wide, a fingertip is not */
const REACH_PX = 5;
const MAX_ZOOM = 20;
/** zoom steps between the whole network and the surroundings of one component */
const CLOSER = 2;

interface Props {
  features: readonly NetworkFeature[];
  colourBy: ColourBy;
  selected: string | null;
  /** degrees per source unit where the network has no coordinate reference system */
  planeScale: number | null;
  onSelect: (id: string | null) => void;
  tooltip: (feature: NetworkFeature) => ReactNode;
}

interface Hover {
  x: number;
  y: number;
  feature: NetworkFeature;
}

export default function NetworkMap({ features, colourBy, selected, planeScale, onSelect, tooltip }: Props) {
  const container = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapLibreMap | null>(null);
  const [drawable] = useState(hasWebGl);
  const [hover, setHover] = useState<Hover | null>(null);
  const [bar, setBar] = useState<ScaleBar | null>(null);
  const [units] = useUnits();
  const bounds = useMemo(() => boundsOf(features), [features]);
  const byId = useMemo(() => new Map(features.map((feature) => [feature.properties.id, feature])), [features]);
  const selectedFeature = selected === null ? undefined : byId.get(selected);
  // the handlers of the map live as long as the map; they read the newest props through this
  const latest = useRef({ byId, onSelect });
  // what was clicked is where the person looks already; what was chosen elsewhere is brought closer
  const clicked = useRef<string | null>(null);
  useEffect(() => {
    latest.current = { byId, onSelect };
  });

  useEffect(() => {
    if (!drawable || !container.current || !bounds) return;
    const made = new MapLibreMap({
      container: container.current,
      style: networkStyle("health", 10),
      bounds,
      fitBoundsOptions: fitOf(container.current),
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      renderWorldCopies: false,
      locale: { "Map.Title": text.map.canvas },
    });
    made.touchZoomRotate.disableRotation();
    made.keyboard.disableRotation();
    made.on("load", () => {
      for (const name of SYMBOLS) made.addImage(name, symbolImage(name), { pixelRatio: SYMBOL_PIXEL_RATIO });
      setMap(made);
    });
    const hit = (event: MapMouseEvent): NetworkFeature | null => {
      const { x, y } = event.point;
      for (const reach of [1, REACH_PX]) {
        const found = made.queryRenderedFeatures(
          [
            [x - reach, y - reach],
            [x + reach, y + reach],
          ],
          { layers: TOUCHABLE },
        );
        const id: unknown = found[0]?.properties["id"];
        if (typeof id === "string") return latest.current.byId.get(id) ?? null;
      }
      return null;
    };
    made.on("click", (event) => {
      const id = hit(event)?.properties.id ?? null;
      clicked.current = id;
      latest.current.onSelect(id);
    });
    made.on("mousemove", (event) => {
      const feature = hit(event);
      made.getCanvas().style.cursor = feature ? "pointer" : "";
      setHover(feature && { x: event.point.x, y: event.point.y, feature });
    });
    made.on("mouseout", () => {
      setHover(null);
    });
    made.on("movestart", () => {
      setHover(null);
    });
    return () => {
      setMap(null);
      setHover(null);
      made.remove();
    };
  }, [bounds, drawable]);

  useEffect(() => {
    void map?.getSource<GeoJSONSource>(SOURCE)?.setData({
      type: "FeatureCollection",
      features: drawn(features, colourBy),
    });
  }, [map, features, colourBy]);

  useEffect(() => {
    if (!map || !bounds) return;
    const zoom = wholeZoom(map, bounds);
    const small = Math.max(0.55, Math.min(1, map.getContainer().clientWidth / 1000));
    const paint = paintOf(colourBy, zoom, small);
    const style = networkStyle(colourBy, zoom);
    for (const layer of style.layers) {
      if (layer.type === "symbol") map.setLayoutProperty(layer.id, "icon-size", layer.layout?.["icon-size"]);
    }
    for (const id of ["selected-link", "selected-node"] as const) {
      const layer = style.layers.find((each) => each.id === id);
      if (layer?.type === "line") map.setPaintProperty(id, "line-width", layer.paint?.["line-width"]);
      if (layer?.type === "circle") map.setPaintProperty(id, "circle-radius", layer.paint?.["circle-radius"]);
    }
    map.setPaintProperty("links", "line-color", paint.linkColour);
    map.setPaintProperty("links", "line-width", paint.linkWidth);
    map.setPaintProperty("nodes", "circle-color", paint.nodeColour);
    map.setPaintProperty("nodes", "circle-radius", paint.nodeRadius);
    map.setPaintProperty("nodes", "circle-stroke-width", paint.nodeStroke);
  }, [map, bounds, colourBy]);

  useEffect(() => {
    if (!map) return;
    map.setFilter("selected-link", isLinkSelected(selected));
    map.setFilter("selected-node", isNodeSelected(selected));
    if (selectedFeature && bounds) bringIntoView(map, selectedFeature, bounds, clicked.current !== selected);
  }, [map, selected, selectedFeature, bounds]);

  useEffect(() => {
    if (!map) return;
    const measure = (): void => {
      const centre = map.getCenter();
      const at = map.project(centre);
      const right = map.unproject([at.x + 100, at.y]);
      setBar(scaleBar((right.lng - centre.lng) / 100, centre.lat, planeScale, units));
    };
    measure();
    map.on("move", measure);
    map.on("resize", measure);
    return () => {
      map.off("move", measure);
      map.off("resize", measure);
    };
  }, [map, planeScale, units]);

  if (!drawable) {
    return (
      <div className="map-message" role="alert">
        <strong>{text.map.noWebGl}</strong>
      </div>
    );
  }
  return (
    <>
      <div ref={container} className="map-canvas" data-ready={map !== null} />
      {map && (
        <div className="map-buttons">
          <button type="button" aria-label={text.map.zoomIn} title={text.map.zoomIn} onClick={() => map.zoomIn()}>
            +
          </button>
          <button type="button" aria-label={text.map.zoomOut} title={text.map.zoomOut} onClick={() => map.zoomOut()}>
            {"\u2212"}
          </button>
          <button
            type="button"
            aria-label={text.map.fit}
            title={text.map.fit}
            onClick={() => bounds && map.fitBounds(bounds, fitOf(map.getContainer()))}
          >
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4" />
            </svg>
          </button>
        </div>
      )}
      {bar && (
        <div className="scale-bar" aria-label={text.map.scale(bar.label)} role="img">
          <span>{bar.label}</span>
          <div style={{ width: bar.widthPx }} />
        </div>
      )}
      {hover && (
        <div className="map-tooltip" style={{ transform: `translate(${hover.x + 14}px, ${hover.y + 14}px)` }}>
          {tooltip(hover.feature)}
        </div>
      )}
    </>
  );
}

/** Room for the tools and the legend, which lie over the left side of a wide map and the ends of a narrow one. */
function fitOf(container: HTMLElement): FitBoundsOptions {
  const { clientWidth, clientHeight } = container;
  const padding =
    clientWidth > 900
      ? { left: 250, right: 60, top: 50, bottom: 40 }
      : clientHeight > 600
        ? { left: 24, right: 24, top: 130, bottom: 60 }
        : { left: 24, right: 24, top: 24, bottom: 24 };
  return { padding, maxZoom: MAX_ZOOM };
}

function wholeZoom(map: MapLibreMap, bounds: Bounds): number {
  return map.cameraForBounds(bounds, fitOf(map.getContainer()))?.zoom ?? map.getZoom();
}

function bringIntoView(map: MapLibreMap, feature: NetworkFeature, whole: Bounds, closer: boolean): void {
  const own = boundsOf([feature]);
  if (!own) return;
  const middle: [number, number] = [(own[0] + own[2]) / 2, (own[1] + own[3]) / 2];
  if (closer) {
    const zoom = Math.min(Math.max(map.getZoom(), wholeZoom(map, whole) + CLOSER), MAX_ZOOM);
    map.easeTo({ center: middle, zoom, duration: 600 });
  } else if (!map.getBounds().contains(middle)) {
    map.easeTo({ center: middle, duration: 400 });
  }
}

function hasWebGl(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}
