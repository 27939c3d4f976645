import type { ReactNode } from "react";
import { HEALTH_CLASSES } from "../map/colouring";
import { text } from "../text";

/** Health as a shape and a word: colour alone tells some people nothing. */
export function HealthMark({ health }: { health: string }) {
  const known = HEALTH_CLASSES.find((each) => each.health === health);
  return (
    <span className="health" data-health={known?.health ?? "unknown"}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        {known?.health === "critical" ? (
          <path d="M6 .8 11.6 11H.4Z" />
        ) : known?.health === "warning" ? (
          <path d="M6 .5 11.5 6 6 11.5.5 6Z" />
        ) : known?.health === "normal" ? (
          <circle cx="6" cy="6" r="4.6" />
        ) : (
          <circle cx="6" cy="6" r="4" fill="none" strokeWidth="2" stroke="currentColor" />
        )}
      </svg>
      {text.health[known?.health ?? "unknown"]}
    </span>
  );
}

export function SyntheticBadge() {
  return (
    <span className="badge badge-synthetic" title={text.synthetic.long}>
      {text.synthetic.short}
    </span>
  );
}

export function Badge({ tone = "plain", children }: { tone?: "plain" | "warn" | "bad"; children: ReactNode }) {
  return <span className={`badge badge-${tone}`}>{children}</span>;
}
