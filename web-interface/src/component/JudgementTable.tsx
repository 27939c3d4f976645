import type { Judgement, RankingScore } from "../api/types";
import { text } from "../text";
import { percent } from "../units/probability";
import { plainNumber } from "../units/units";

const MEASURES = Object.keys(text.why.measures) as (keyof RankingScore)[];

/** How the model did on a later period, beside the plain rules it has to beat. */
export function JudgementTable({ judgement }: { judgement: Judgement }) {
  const rankings: [string, RankingScore][] = [["model", judgement.model], ...Object.entries(judgement.baselines)];
  return (
    <>
      <div className="table-scroll" tabIndex={0} role="region" aria-label={text.why.judgement}>
        <table>
          <thead>
            <tr>
              <th scope="col">{text.why.ranking}</th>
              {MEASURES.map((measure) => (
                <th key={measure} scope="col" className="number">
                  {text.why.measures[measure]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rankings.map(([name, score]) => (
              <tr key={name} data-own={name === "model"}>
                <th scope="row">{text.why.judge(name)}</th>
                {MEASURES.map((measure) => (
                  <td key={measure} className="number">
                    {shown(measure, score[measure])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p>
        {text.why.calibration(
          plainNumber(judgement.expected, 1),
          plainNumber(judgement.broke, 0),
          plainNumber(judgement.assets, 0),
        )}{" "}
        {text.why.brier(plainNumber(judgement.brier, 4), plainNumber(judgement.brier_constant, 4))}
      </p>
    </>
  );
}

function shown(measure: keyof RankingScore, value: number | null): string {
  if (value === null) return "\u2013";
  return measure === "auc" ? value.toFixed(2) : percent(value);
}
