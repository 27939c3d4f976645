import { Link, useSearch } from "@tanstack/react-router";
import { ComponentView } from "../component/ComponentView";
import { text } from "../text";

export function ComponentPage() {
  const { id } = useSearch({ from: "/component" });
  return (
    <div className="page component-page">
      <ComponentView
        key={id}
        id={id}
        actions={
          <Link to="/" search={{ component: id }} className="button button-small">
            {text.component.onMap}
          </Link>
        }
      />
    </div>
  );
}
