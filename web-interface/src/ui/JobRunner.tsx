import { useState } from "react";
import type { JobReceipt } from "../api/queries";
import { text } from "../text";
import { JobProgress } from "./JobProgress";
import { Failure } from "./states";

/** A button that starts a job and follows it to its end. */
export function JobRunner({
  label,
  start,
  onDone,
}: {
  label: string;
  start: () => Promise<JobReceipt>;
  onDone: () => Promise<void>;
}) {
  const [job, setJob] = useState<string | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const begin = async (): Promise<void> => {
    setError(null);
    try {
      setJob((await start()).job_id);
    } catch (caught) {
      setError(caught instanceof Error ? caught : new Error(text.states.unknown));
    }
  };
  return (
    <div className="job-runner">
      {job === null ? (
        <button type="button" className="button" onClick={() => void begin()}>
          {label}
        </button>
      ) : (
        <JobProgress
          id={job}
          onEnd={async (succeeded) => {
            if (succeeded) await onDone();
          }}
        />
      )}
      {error && <Failure error={error} />}
    </div>
  );
}
