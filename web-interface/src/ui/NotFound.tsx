import { Link } from "@tanstack/react-router";
import { text } from "../text";
import { EmptyState } from "./states";

export function NotFound() {
  return (
    <div className="page">
      <EmptyState title={text.states.notFound}>
        <Link to="/" className="button">
          {text.states.toMap}
        </Link>
      </EmptyState>
    </div>
  );
}
