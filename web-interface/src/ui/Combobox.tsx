import { type KeyboardEvent, type ReactNode, useId, useState } from "react";

interface Props<T> {
  label: string;
  placeholder: string;
  value: string;
  onValue: (value: string) => void;
  options: readonly T[];
  keyOf: (option: T) => string;
  render: (option: T) => ReactNode;
  onChoose: (option: T) => void;
  /** said when words were typed and nothing matches */
  nothing: string;
}

/** A text field with suggestions, after the editable combobox of the ARIA Authoring Practices. */
export function Combobox<T>({
  label,
  placeholder,
  value,
  onValue,
  options,
  keyOf,
  render,
  onChoose,
  nothing,
}: Props<T>) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const shown = open && value.trim() !== "";
  const at = Math.min(active, options.length - 1);

  const choose = (option: T): void => {
    onChoose(option);
    setOpen(false);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (options.length > 0) setActive((at + step + options.length) % options.length);
    } else if (event.key === "Enter") {
      const option = options[at];
      if (shown && option !== undefined) {
        event.preventDefault();
        choose(option);
      }
    } else if (event.key === "Escape" && shown) {
      event.preventDefault();
      setOpen(false);
    }
  };
  return (
    <div className="combobox">
      <input
        type="search"
        role="combobox"
        aria-label={label}
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={shown && options.length > 0 ? `${id}-${at}` : undefined}
        placeholder={placeholder}
        value={value}
        autoComplete="off"
        onChange={(event) => {
          onValue(event.target.value);
          setActive(0);
          setOpen(true);
        }}
        onFocus={() => {
          setOpen(true);
        }}
        onBlur={() => {
          setOpen(false);
        }}
        onKeyDown={onKey}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={label} hidden={!shown || options.length === 0}>
        {options.map((option, index) => (
          <li
            key={keyOf(option)}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            // mousedown comes before blur, a click would find the list closed
            onMouseDown={(event) => {
              event.preventDefault();
              choose(option);
            }}
          >
            {render(option)}
          </li>
        ))}
      </ul>
      {shown && options.length === 0 && (
        <p className="combobox-nothing" role="status">
          {nothing}
        </p>
      )}
    </div>
  );
}
