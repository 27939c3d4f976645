import { useQuery } from "@tanstack/react-query";
import { whyQuery } from "../api/queries";
import type { FailurePrediction, UsedIncident, Why } from "../api/types";
import { text } from "../text";
import { Failure, Loading } from "../ui/states";
import { ago, day, moment } from "../units/time";
import { plainNumber } from "../units/units";
import { JudgementTable } from "./JudgementTable";

/** The edges behind the number: model version with its judgement, data, incidents. */
export function Provenance({ prediction }: { prediction: FailurePrediction }) {
  const why = useQuery(whyQuery(prediction.prediction_id));
  return (
    <details className="why">
      <summary>
        <span>{text.why.heading}</span>
        <span className="faint">
          {text.why.short(prediction.model.name, prediction.model.version, ago(prediction.created_at))}
        </span>
      </summary>
      {why.isPending && <Loading what={text.why.loading} />}
      {why.isError && <Failure error={why.error} onRetry={() => void why.refetch()} />}
      {why.isSuccess && <Trail prediction={prediction} why={why.data} />}
    </details>
  );
}

function Trail({ prediction, why }: { prediction: FailurePrediction; why: Why }) {
  const model = why.model;
  return (
    <div className="why-body">
      <dl className="facts">
        <Fact label={text.why.computed}>{moment(prediction.created_at)}</Fact>
        <Fact label={text.why.asOf}>{moment(why.as_of)}</Fact>
        <Fact label={text.why.model}>
          {model.name} {model.version}
        </Fact>
        <Fact label={text.why.trained}>
          {text.why.window(day(model.train_from), day(model.train_to))}
          {", "}
          {text.why.rows(
            plainNumber(model.metrics.trained_on.components, 0),
            plainNumber(model.metrics.trained_on.breaks, 0),
          )}
        </Fact>
        {why.runs.map((run) => (
          <Fact key={run.id} label={text.why.run}>
            <code>{run.id}</code>, {text.run.by(run.engine, run.engine_version, null)}
          </Fact>
        ))}
        <Fact label={text.why.inputs}>
          <Hash value={why.input_sha256} />
        </Fact>
        <Fact label={text.why.data}>
          <Hash value={model.data_sha256} />
        </Fact>
        <Fact label={text.why.file}>
          <Hash value={model.sha256} />
        </Fact>
      </dl>
      <h3>{text.why.judgement}</h3>
      {model.judged_from && model.judged_to && (
        <p className="faint">{text.why.judgedOn(day(model.judged_from), day(model.judged_to))}</p>
      )}
      <p>{text.why.verdict(model.metrics.verdict)}</p>
      {model.metrics.judgement && <JudgementTable judgement={model.metrics.judgement} />}
      <h3>{text.why.incidents}</h3>
      {why.incidents.length === 0 ? (
        <p className="faint">{text.why.noIncidents}</p>
      ) : (
        <>
          <ol className="used">
            {why.incidents.map((incident) => (
              <Used key={incident.id} incident={incident} />
            ))}
          </ol>
          <p className="faint">{text.why.influenceWhat}</p>
        </>
      )}
    </div>
  );
}

function Used({ incident }: { incident: UsedIncident }) {
  return (
    <li>
      <span>
        <strong>{text.incidents.kinds(incident.kind)}</strong> {day(incident.occurred_at)}
      </span>
      <span className="influence">{text.prediction.effect(incident.influence_weight)}</span>
      {incident.narrative && <span className="used-words">{incident.narrative}</span>}
    </li>
  );
}

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The first digits are enough to compare; the whole is there for copying. */
function Hash({ value }: { value: string }) {
  return <code title={value}>{value.slice(0, 16)}…</code>;
}
