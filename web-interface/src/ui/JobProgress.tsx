import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { problemFrom } from "../api/problem";
import { jobQuery } from "../api/queries";
import type { Job } from "../api/types";
import { text } from "../text";
import { Failure } from "./states";

const ENDED: readonly Job["state"][] = ["succeeded", "failed", "cancelled"];

/** A job while it runs: how far, what it is doing, and why it failed. */
export function JobProgress({ id, onEnd }: { id: string; onEnd: (succeeded: boolean) => Promise<void> }) {
  const { data: job, error } = useQuery(jobQuery(id));
  const ended = job !== undefined && ENDED.includes(job.state);
  const told = useRef(false);
  useEffect(() => {
    if (!ended || told.current) return;
    told.current = true;
    void onEnd(job.state === "succeeded");
  }, [ended, job, onEnd]);
  if (error) return <Failure error={error} />;
  return (
    <div className="job">
      <p role="status">
        {job ? text.jobs.states[job.state] : text.jobs.states.queued}
        {job?.message && !ended ? `: ${job.message}` : ""}
      </p>
      {!ended && <progress max={1} value={job?.progress ?? 0} aria-label={text.jobs.progress} />}
      {job?.error && <Failure error={problemFrom(job.error, 0, null)} />}
    </div>
  );
}
