import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { text } from "../text";
import { ComponentView } from "./ComponentView";

/** The page of a component beside the map. */
export function ComponentPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    if (panel.current) panel.current.scrollTop = 0;
  }, [id]);
  return (
    <aside
      ref={panel}
      className="panel"
      aria-label={text.component.panel}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <button
        type="button"
        className="panel-close"
        aria-label={text.component.close}
        title={text.component.close}
        onClick={onClose}
      >
        <svg viewBox="0 0 14 14" width="14" height="14" aria-hidden="true" stroke="currentColor" strokeWidth="1.8">
          <path d="m2 2 10 10M12 2 2 12" />
        </svg>
      </button>
      <ComponentView
        key={id}
        id={id}
        actions={
          <Link to="/component" search={{ id }} className="button button-small">
            {text.component.open}
          </Link>
        }
        onMap
      />
    </aside>
  );
}
