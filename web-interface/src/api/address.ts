/** Addresses of the API. */
export type Query = Record<string, string | number | undefined>;

export function queryText(query: Query | undefined): string {
  const given = Object.entries(query ?? {}).filter(
    (entry): entry is [string, string | number] => entry[1] !== undefined && entry[1] !== "",
  );
  if (given.length === 0) return "";
  return "?" + new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

/** `/components/{id}` and the like: ids may hold any of `:`, `%`, `~`. */
export function path(strings: TemplateStringsArray, ...ids: string[]): string {
  return strings.reduce((joined, part, at) => joined + encodeURIComponent(ids[at - 1] ?? "") + part);
}
