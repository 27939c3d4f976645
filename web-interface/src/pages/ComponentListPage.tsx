import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { componentsQuery } from "../api/queries";
import type { ComponentRow } from "../api/types";
import { useNetworkId } from "../network";
import { without } from "../search";
import { text } from "../text";
import { HealthMark } from "../ui/marks";
import { EmptyState, Failure, Loading } from "../ui/states";
import { useSettled } from "../ui/useSettled";
import { day } from "../units/time";

const TYPES = ["Junction", "Reservoir", "Tank", "Pipe", "Pump", "Valve", "Hydrant", "Sensor"];
const STATUSES = ["open", "closed", "active", "in_service", "out_of_service", "retired"];
const HEALTHS = ["critical", "warning", "normal", "unknown"] as const;

type Filter = "type" | "status" | "health" | "material" | "q";

export function ComponentListPage() {
  const filter = useSearch({ from: "/components" });
  const network = useNetworkId();
  const navigate = useNavigate({ from: "/components" });
  const { type, status, health, material, q } = filter;
  const list = useInfiniteQuery(componentsQuery({ network, type, status, health, material, q }));
  const rows = list.data?.pages.flatMap((page) => page.components) ?? [];
  useEffect(() => {
    document.title = text.title(text.shell.components);
  }, []);

  const choose = (name: Filter, value: string): void => {
    void navigate({
      search: (before) => {
        const rest = without(before, name);
        return value === "" ? rest : { ...rest, [name]: value };
      },
      replace: true,
    });
  };
  return (
    <div className="page">
      <h1>{text.list.heading}</h1>
      <search className="filters">
        <Words
          label={text.list.words}
          value={q ?? ""}
          onValue={(value) => {
            choose("q", value);
          }}
        />{" "}
        {/* prettier-ignore */}
        <Choice
          label={text.list.type}
          value={type ?? ""}
          options={TYPES.map((each) => [each, text.types(each)])}
          onValue={(value) => { choose("type", value); }} // prettier-ignore
        />
        <Choice
          label={text.list.health}
          value={health ?? ""}
          options={HEALTHS.map((each) => [each, text.health[each]])}
          onValue={(value) => { choose("health", value); }} // prettier-ignore
        />
        <Choice
          label={text.list.status}
          value={status ?? ""}
          options={STATUSES.map((each) => [each, text.statuses(each)])}
          onValue={(value) => { choose("status", value); }} // prettier-ignore
        />
        <Words
          label={text.list.material}
          value={material ?? ""}
          onValue={(value) => {
            choose("material", value);
          }}
        />{" "}
        {/* prettier-ignore */}
      </search>
      {list.isPending && <Loading what={text.list.loading} />}
      {list.isError && <Failure error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && rows.length === 0 && (
        <EmptyState title={text.list.none}>
          <p>{text.list.noneWhat}</p>
        </EmptyState>
      )}
      {rows.length > 0 && (
        <>
          <div className="table-card">
            <table className="rows">
              <thead>
                <tr>
                  <th scope="col">{text.list.name}</th>
                  <th scope="col">{text.list.type}</th>
                  <th scope="col">{text.list.health}</th>
                  <th scope="col" className="wide">
                    {text.list.status}
                  </th>
                  <th scope="col" className="wide">
                    {text.list.material}
                  </th>
                  <th scope="col" className="wide">
                    {text.list.installed}
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <Row key={row.id} row={row} />
                ))}
              </tbody>
            </table>
          </div>
          <div className="row">
            {list.hasNextPage && (
              <button
                type="button"
                className="button"
                disabled={list.isFetchingNextPage}
                onClick={() => void list.fetchNextPage()}
              >
                {list.isFetchingNextPage ? text.list.loading : text.list.more}
              </button>
            )}
            <p className="faint" role="status">
              {list.hasNextPage ? text.list.shown(rows.length) : text.list.all(rows.length)}
            </p>
          </div>
        </>
      )}
    </div>
  );
}

function Row({ row }: { row: ComponentRow }) {
  const navigate = useNavigate();
  const { material, install_date } = row.properties;
  return (
    <tr onClick={() => void navigate({ to: "/component", search: { id: row.id } })}>
      <th scope="row">
        <Link
          to="/component"
          search={{ id: row.id }}
          onClick={(event) => {
            event.stopPropagation();
          }}
        >
          {row.name}
        </Link>
      </th>
      <td>{text.types(row.type)}</td>
      <td>
        <HealthMark health={row.health} />
      </td>
      <td className="wide">{text.statuses(row.status)}</td>
      <td className="wide">{typeof material === "string" ? text.materials(material) : ""}</td>
      <td className="wide">{typeof install_date === "string" ? day(install_date) : ""}</td>
    </tr>
  );
}

function Choice({
  label,
  value,
  options,
  onValue,
}: {
  label: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  onValue: (value: string) => void;
}) {
  return (
    <label className="field">
      <span>{label}</span>
      <select
        value={value}
        onChange={(event) => {
          onValue(event.target.value);
        }}
      >
        <option value="">{text.list.any}</option>
        {options.map(([each, says]) => (
          <option key={each} value={each}>
            {says}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Typed words take effect when the typing rests. */
function Words({ label, value, onValue }: { label: string; value: string; onValue: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  useSettled(typed, (settled) => {
    if (settled.trim() !== value) onValue(settled.trim());
  });
  return (
    <label className="field">
      <span>{label}</span>
      <input
        type="search"
        value={typed}
        maxLength={200}
        onChange={(event) => {
          setTyped(event.target.value);
        }}
      />
    </label>
  );
}
