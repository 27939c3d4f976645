import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type SubmitEvent, useEffect, useId, useState } from "react";
import { type ImportReceipt, importNetwork, importSample } from "../api/queries";
import { text } from "../text";
import { JobProgress } from "../ui/JobProgress";
import { Failure } from "../ui/states";

export function ImportPage() {
  useEffect(() => {
    document.title = text.title(text.importing.heading);
  }, []);
  return (
    <div className="page narrow">
      <h1>{text.importing.heading}</h1>
      <ImportForm />
    </div>
  );
}

/** An EPANET file becomes a network; the job that does it is followed here. */
export function ImportForm() {
  const [file, setFile] = useState<File | null>(null);
  const [id, setId] = useState("");
  const [crs, setCrs] = useState("");
  const [receipt, setReceipt] = useState<ImportReceipt | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const hint = useId();

  const begin = async (start: () => Promise<ImportReceipt>): Promise<void> => {
    setBusy(true);
    setError(null);
    setReceipt(null);
    try {
      setReceipt(await start());
    } catch (caught) {
      setError(caught instanceof Error ? caught : new Error(text.states.unknown));
      setBusy(false);
    }
  };
  const end = async (succeeded: boolean): Promise<void> => {
    setBusy(false);
    if (!succeeded || !receipt) return;
    await queries.invalidateQueries();
    await navigate({ to: "/", search: { network: receipt.network_id } });
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (file) void begin(() => importNetwork(file, id, crs));
  };

  return (
    <form className="card import" onSubmit={submit}>
      <label className="field">
        <span>{text.importing.file}</span>
        <input
          type="file"
          accept=".inp"
          required
          onChange={(event) => {
            const chosen = event.target.files?.[0] ?? null;
            setFile(chosen);
            if (chosen && id === "") setId(idFrom(chosen.name));
          }}
        />
      </label>
      <div className="field-row">
        <label className="field">
          <span>{text.importing.id}</span>
          <input
            value={id}
            required
            pattern="[A-Za-z0-9._~:%\-]{1,500}"
            onChange={(event) => {
              setId(event.target.value);
            }}
          />
        </label>
        <label className="field">
          <span>{text.importing.crs}</span>
          <input
            value={crs}
            placeholder="EPSG:25832"
            pattern="EPSG:[0-9]+"
            aria-describedby={hint}
            onChange={(event) => {
              setCrs(event.target.value);
            }}
          />
        </label>
      </div>
      <p id={hint} className="faint">
        {text.importing.crsHint}
      </p>
      <div className="row">
        <button type="submit" className="button button-main" disabled={busy || file === null}>
          {text.importing.submit}
        </button>
        <button type="button" className="button" disabled={busy} onClick={() => void begin(() => importSample("Net3"))}>
          {text.importing.sample("Net3")}
        </button>
      </div>
      {receipt && <JobProgress key={receipt.job_id} id={receipt.job_id} onEnd={end} />}
      {error && <Failure error={error} />}
      <p className="faint">
        {text.importing.commandLine} <code>wnis network import FILE.inp --id ID</code>
      </p>
    </form>
  );
}

/** "My network (v2).inp" -> "My-network-v2" */
function idFrom(fileName: string): string {
  return fileName
    .replace(/\.inp$/i, "")
    .replace(/[^A-Za-z0-9._~-]+/g, "-")
    .replace(/^-+|-+$/g, "");
}
