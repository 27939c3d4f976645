import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { networksQuery } from "./api/queries";

/** The network of this page: the address names it, else the first there is. */
export function useNetworkId(): string | undefined {
  const { network } = useSearch({ strict: false });
  const networks = useQuery(networksQuery());
  return network ?? networks.data?.[0]?.id;
}
