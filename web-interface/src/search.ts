/** A copy of the address's search parameters without some of them. */
export function without<S extends object, K extends PropertyKey>(search: S, ...keys: K[]): Omit<S, K> {
  return Object.fromEntries(Object.entries(search).filter(([key]) => !keys.includes(key as K))) as Omit<S, K>;
}
