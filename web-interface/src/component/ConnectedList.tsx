import { Link } from "@tanstack/react-router";
import type { Component } from "../api/types";
import { text } from "../text";

export function ConnectedList({ component, onMap }: { component: Component; onMap: boolean }) {
  const connected = component.connected_components;
  return (
    <section className="section" aria-labelledby="connected">
      <h2 id="connected">{text.component.connected}</h2>
      {connected.length === 0 ? (
        <p className="faint">{text.component.notConnected}</p>
      ) : (
        <ul className="link-list">
          {connected.map(({ id, type, name, relationship }) => (
            <li key={id + relationship}>
              {onMap ? (
                <Link to="/" search={(before) => ({ ...before, component: id })}>
                  {name}
                </Link>
              ) : (
                <Link to="/component" search={{ id }}>
                  {name}
                </Link>
              )}
              <span className="faint">
                {text.types(type)}
                {relationship !== "CONNECTED_TO" && `, ${text.relationships(relationship)}`}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
