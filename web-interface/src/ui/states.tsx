import type { ReactNode } from "react";
import { Problem } from "../api/problem";
import { text } from "../text";

export function Loading({ what }: { what: string }) {
  return (
    <p className="loading" role="status">
      <span className="spinner" aria-hidden="true" />
      {what}
    </p>
  );
}

export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** What went wrong, what to do about it, and the number by which the log knows it. */
export function Failure({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const problem = error instanceof Problem ? error : null;
  return (
    <div className="failure" role="alert">
      <p className="failure-message">{error.message}</p>
      {problem?.mend && <p>{problem.mend}</p>}
      {problem && <Place details={problem.details} />}
      {problem && problem.fields.length > 0 && (
        <ul>
          {problem.fields.map((each) => (
            <li key={each.field + each.message}>
              <code>{each.field}</code> {each.message}
            </li>
          ))}
        </ul>
      )}
      {problem?.requestId && <p className="faint">{text.states.requestId(problem.requestId)}</p>}
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          {text.states.retry}
        </button>
      )}
    </div>
  );
}

/** Where in an imported file the fault lies. */
function Place({ details }: { details: Readonly<Record<string, unknown>> }) {
  const { section, line } = details;
  if (typeof line !== "number") return null;
  return <p className="faint">{text.jobs.place(typeof section === "string" ? section : "", line)}</p>;
}
