import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { predictionQuery } from "../api/queries";
import type { Component, FailurePrediction } from "../api/types";
import { text } from "../text";
import { Badge } from "../ui/marks";
import { Failure, Loading } from "../ui/states";
import { lifeSpan, percent } from "../units/probability";
import { FactorList } from "./FactorList";
import { FeedbackForm } from "./FeedbackForm";
import { Provenance } from "./Provenance";

const HORIZONS = [30, 365, 1825] as const;

/** How likely the component fails, why, and where the number came from. */
export function PredictionSection({ component }: { component: Component }) {
  const [horizon, setHorizon] = useState<number>(365);
  const prediction = useQuery(predictionQuery(component.id, horizon));
  return (
    <section className="section prediction" aria-labelledby="prediction">
      <div className="section-head">
        <h2 id="prediction">{text.prediction.heading}</h2>
        <fieldset className="segmented">
          <legend className="visually-hidden">{text.prediction.horizon}</legend>
          {HORIZONS.map((days) => (
            <label key={days}>
              <input
                type="radio"
                name={`horizon-${component.id}`}
                checked={days === horizon}
                onChange={() => {
                  setHorizon(days);
                }}
              />
              <span>{text.prediction.horizons[days]}</span>
            </label>
          ))}
        </fieldset>
      </div>
      {prediction.isPending && <Loading what={text.prediction.loading} />}
      {prediction.isError && <Failure error={prediction.error} onRetry={() => void prediction.refetch()} />}
      {prediction.isSuccess && (
        <>
          <Probability prediction={prediction.data} horizon={horizon} />
          <FactorList factors={prediction.data.factors} />
          <Provenance prediction={prediction.data} />
          <FeedbackForm component={component} predictionId={prediction.data.prediction_id} />
        </>
      )}
    </section>
  );
}

function Probability({ prediction, horizon }: { prediction: FailurePrediction; horizon: number }) {
  const { probability, low, high } = prediction;
  const top = scaleTop(high);
  const at = (value: number): string => `${(100 * Math.min(value, top)) / top}%`;
  const days = prediction.remaining_useful_life;
  return (
    <div className="probability">
      <div>
        <p className="big-number">{percent(probability)}</p>
        <p>
          {text.prediction.within(text.prediction.spelled[horizon as keyof typeof text.prediction.spelled])}{" "}
          {prediction.stale && (
            <Badge tone="warn">
              <span title={text.prediction.staleWhat}>{text.prediction.stale}</span>
            </Badge>
          )}
        </p>
      </div>
      <figure className="band" aria-label={text.prediction.band(percent(low), percent(high))} role="img">
        <div className="band-track">
          <div className="band-range" style={{ left: at(low), width: `calc(${at(high)} - ${at(low)})` }} />
          <div className="band-mark" style={{ left: at(probability) }} />
        </div>
        <figcaption>
          <span>0 %</span>
          <span>{text.prediction.band(percent(low), percent(high))}</span>
          <span>{percent(top)}</span>
        </figcaption>
      </figure>
      <p>
        {text.prediction.life}{" "}
        <strong>
          {prediction.remaining_useful_life_censored ? text.prediction.longer(lifeSpan(days)) : lifeSpan(days)}
        </strong>{" "}
        <span className="faint">{text.prediction.lifeWhat}</span>
      </p>
    </div>
  );
}

/** A round end of the band's scale: 1, 2, 5, 10, 20, 50 or 100 per cent. */
export function scaleTop(high: number): number {
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((top) => high <= top * 0.98) ?? 1;
}
