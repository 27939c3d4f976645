import { useEffect, useEffectEvent } from "react";

const REST_MS = 300;

/** Calls `act` with `value` once it has not changed for a moment. */
export function useSettled<T>(value: T, act: (value: T) => void): void {
  const settled = useEffectEvent(act);
  useEffect(() => {
    const timer = setTimeout(() => {
      settled(value);
    }, REST_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [value]);
}
