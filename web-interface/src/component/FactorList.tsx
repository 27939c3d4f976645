import type { FailurePrediction } from "../api/types";
import { text } from "../text";

type Factor = FailurePrediction["factors"][number];

const SHOWN = 6;

/** What raised and lowered the probability, as bars about a middle line, strongest first. */
export function FactorList({ factors }: { factors: readonly Factor[] }) {
  const ranked = [...factors].sort((a, b) => Math.abs(b.importance) - Math.abs(a.importance)).slice(0, SHOWN);
  const widest = Math.max(...ranked.map((factor) => Math.abs(factor.importance)), 1e-9);
  if (ranked.length === 0) return null;
  return (
    <div className="factors">
      <h3>{text.prediction.factors}</h3>
      <ul>
        {ranked.map((factor) => {
          const raises = factor.importance > 0;
          const share = (50 * Math.abs(factor.importance)) / widest;
          return (
            <li key={factor.name}>
              <span>
                {text.factor(factor.name)} <span className="factor-value">{factor.value}</span>
              </span>
              <span className="factor-bar" aria-hidden="true">
                <span
                  data-raises={raises}
                  style={raises ? { left: "50%", width: `${share}%` } : { right: "50%", width: `${share}%` }}
                />
              </span>
              <span className="factor-effect">{text.prediction.effect(factor.importance)}</span>
            </li>
          );
        })}
      </ul>
      <p className="faint">{text.prediction.factorsWhat}</p>
    </div>
  );
}
