import { useSyncExternalStore } from "react";
import type { UnitSystem } from "./units";

const KEY = "wnis.units";
const listeners = new Set<() => void>();

function read(): UnitSystem {
  return window.localStorage.getItem(KEY) === "us" ? "us" : "si";
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

/** The person's display units, kept by this browser. */
export function useUnits(): [UnitSystem, (system: UnitSystem) => void] {
  const system = useSyncExternalStore(subscribe, read);
  return [
    system,
    (chosen) => {
      window.localStorage.setItem(KEY, chosen);
      for (const listener of listeners) listener();
    },
  ];
}
