import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { featuresQuery, networkQuery, networksQuery } from "../api/queries";
import { ComponentPanel } from "../component/ComponentPanel";
import { type ColourBy, COLOUR_BY } from "../map/colouring";
import { Legend } from "../map/Legend";
import { MapTooltip } from "../map/MapTooltip";
import { findByName, type NetworkFeature } from "../map/network";
import { useNetworkId } from "../network";
import { without } from "../search";
import { text } from "../text";
import { Combobox } from "../ui/Combobox";
import { SyntheticBadge } from "../ui/marks";
import { EmptyState, Failure, Loading } from "../ui/states";
import { ImportForm } from "./ImportPage";

const NetworkMap = lazy(() => import("../map/NetworkMap"));
const NO_FEATURES: readonly NetworkFeature[] = [];

export function MapPage() {
  const networks = useQuery(networksQuery());
  const network = useNetworkId();
  useEffect(() => {
    document.title = text.title(text.shell.map);
  }, []);
  if (networks.isPending) return <Loading what={text.states.networks} />;
  if (networks.isError) return <Failure error={networks.error} onRetry={() => void networks.refetch()} />;
  if (network === undefined) {
    return (
      <div className="page narrow">
        <EmptyState title={text.importing.none}>
          <p>{text.importing.noneWhat}</p>
        </EmptyState>
        <ImportForm />
      </div>
    );
  }
  return <MapOf key={network} networkId={network} />;
}

function MapOf({ networkId }: { networkId: string }) {
  const { component, colour } = useSearch({ from: "/" });
  const navigate = useNavigate({ from: "/" });
  const network = useQuery(networkQuery(networkId));
  const features = useQuery(featuresQuery(networkId));
  const colourBy: ColourBy = colour ?? "pressure_min";
  const drawnFeatures = features.data?.features ?? NO_FEATURES;

  const select = (id: string | null): void => {
    void navigate({
      search: (before) => (id === null ? without(before, "component") : { ...before, component: id }),
      replace: component !== undefined,
    });
  };
  const chooseColour = (chosen: ColourBy): void => {
    void navigate({ search: (before) => ({ ...before, colour: chosen }), replace: true });
  };

  return (
    <div className="map-page" data-panel={component !== undefined}>
      <section className="map" aria-label={text.map.section}>
        <h1 className="visually-hidden">{text.map.heading(network.data?.name ?? networkId)}</h1>
        {features.isPending && (
          <div className="map-message">
            <Loading what={text.map.loading} />
          </div>
        )}
        {features.isError && (
          <div className="map-message">
            <Failure error={features.error} onRetry={() => void features.refetch()} />
          </div>
        )}
        {features.isSuccess && drawnFeatures.length === 0 && (
          <div className="map-message">
            <EmptyState title={text.map.nothing}>
              <p>{text.map.nothingWhat}</p>
            </EmptyState>
          </div>
        )}
        {drawnFeatures.length > 0 && (
          <>
            <Suspense
              fallback={
                <div className="map-message">
                  <Loading what={text.map.loading} />
                </div>
              }
            >
              <NetworkMap
                features={drawnFeatures}
                colourBy={colourBy}
                selected={component ?? null}
                planeScale={network.data?.plane?.scale ?? null}
                onSelect={select}
                tooltip={(feature) => <MapTooltip feature={feature} colourBy={colourBy} />}
              />
            </Suspense>
            <div className="map-tools">
              <ComponentFinder features={drawnFeatures} onChoose={select} />
              <label className="colour-by">
                <span>{text.map.colourBy}</span>
                <select
                  value={colourBy}
                  onChange={(event) => {
                    const chosen = COLOUR_BY.find((each) => each === event.target.value);
                    if (chosen) chooseColour(chosen);
                  }}
                >
                  {COLOUR_BY.map((each) => (
                    <option key={each} value={each}>
                      {text.map.colouring[each]}
                    </option>
                  ))}
                </select>
              </label>
            </div>
            <div className="map-notes">
              {network.data?.synthetic && <SyntheticBadge />}
              {network.data?.plane && <span className="badge badge-plain">{text.map.plane}</span>}
            </div>
            <Legend features={drawnFeatures} colourBy={colourBy} networkId={networkId} />
          </>
        )}
      </section>
      {component !== undefined && (
        <ComponentPanel
          id={component}
          onClose={() => {
            select(null);
          }}
        />
      )}
    </div>
  );
}

function ComponentFinder({
  features,
  onChoose,
}: {
  features: readonly NetworkFeature[];
  onChoose: (id: string) => void;
}) {
  const [words, setWords] = useState("");
  const found = useMemo(() => findByName(features, words, 8), [features, words]);
  return (
    <Combobox
      label={text.map.find}
      placeholder={text.map.findPlaceholder}
      value={words}
      onValue={setWords}
      options={found}
      keyOf={(feature) => feature.properties.id}
      render={(feature) => (
        <>
          <strong>{feature.properties.name}</strong>
          <span className="faint">{text.types(feature.properties.type)}</span>
        </>
      )}
      onChoose={(feature) => {
        setWords("");
        onChoose(feature.properties.id);
      }}
      nothing={text.map.findNothing}
    />
  );
}
