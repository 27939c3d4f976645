import { createRootRoute, createRoute, createRouter, retainSearchParams } from "@tanstack/react-router";
import { Shell } from "./Shell";
import { ComponentListPage } from "./pages/ComponentListPage";
import { ComponentPage } from "./pages/ComponentPage";
import { ImportPage } from "./pages/ImportPage";
import { IncidentSearchPage } from "./pages/IncidentSearchPage";
import { MapPage } from "./pages/MapPage";
import { type ColourBy, COLOUR_BY } from "./map/colouring";
import { NotFound } from "./ui/NotFound";

/** Absent keys stay absent, so that addresses stay short; numbers typed by hand become the words they were. */
function words<K extends string>(search: Record<string, unknown>, ...keys: K[]): Partial<Record<K, string>> {
  const found: Partial<Record<K, string>> = {};
  for (const key of keys) {
    const value = search[key];
    if (typeof value === "string" || typeof value === "number") found[key] = String(value);
  }
  return found;
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  validateSearch: (search: Record<string, unknown>) => words(search, "network"),
  search: { middlewares: [retainSearchParams(["network"])] },
});

const map = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: MapPage,
  validateSearch: (search: Record<string, unknown>): { component?: string; colour?: ColourBy } => {
    const { component, colour } = words(search, "component", "colour");
    const known = COLOUR_BY.find((each) => each === colour);
    return { ...(component !== undefined && { component }), ...(known && { colour: known }) };
  },
});

const componentList = createRoute({
  getParentRoute: () => root,
  path: "/components",
  component: ComponentListPage,
  validateSearch: (search: Record<string, unknown>) => words(search, "type", "status", "health", "material", "q"),
});

const component = createRoute({
  getParentRoute: () => root,
  path: "/component",
  component: ComponentPage,
  // ids are opaque and may hold %, : and ~: as a search parameter they survive every proxy
  validateSearch: (search: Record<string, unknown>): { id: string } => ({ id: words(search, "id").id ?? "" }),
});

const incidents = createRoute({
  getParentRoute: () => root,
  path: "/incidents",
  component: IncidentSearchPage,
  validateSearch: (search: Record<string, unknown>) => words(search, "q", "component", "hops", "kind"),
});

const importing = createRoute({ getParentRoute: () => root, path: "/import", component: ImportPage });

export const router = createRouter({
  routeTree: root.addChildren([map, componentList, component, incidents, importing]),
  defaultPreload: false,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
