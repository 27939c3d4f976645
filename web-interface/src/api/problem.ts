/** An answer of the API that is not a success: the fields of its `application/problem+json`. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly mend: string | null = null,
    readonly requestId: string | null = null,
    readonly retryAfterS: number | null = null,
    readonly fields: readonly { field: string; message: string }[] = [],
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = "Problem";
  }
}

interface ProblemDocument {
  error?: string;
  code?: string;
  mend?: string;
  request_id?: string;
  errors?: { field: string; message: string }[];
  details?: Record<string, unknown>;
}

export function problemFrom(document: unknown, status: number, retryAfter: string | null): Problem {
  const found = (document !== null && typeof document === "object" ? document : {}) as ProblemDocument;
  const seconds = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  return new Problem(
    found.error ?? `The server answered ${status}.`,
    status,
    found.code ?? "failure",
    found.mend ?? null,
    found.request_id ?? null,
    seconds,
    found.errors ?? [],
    found.details ?? {},
  );
}

export const UNREACHABLE = new Problem("The server cannot be reached.", 0, "unreachable");
