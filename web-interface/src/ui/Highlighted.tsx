import { Fragment } from "react";

/** `words` with every occurrence of a mark set off; marks are words of the text itself. */
export function Highlighted({ words, marks }: { words: string; marks: readonly string[] }) {
  return splitAtMarks(words, marks).map(({ part, marked }, at) =>
    marked ? <mark key={at}>{part}</mark> : <Fragment key={at}>{part}</Fragment>,
  );
}

export function splitAtMarks(words: string, marks: readonly string[]): { part: string; marked: boolean }[] {
  const wanted = [...new Set(marks.map((mark) => mark.trim()).filter((mark) => mark !== ""))].sort(
    (a, b) => b.length - a.length,
  );
  if (wanted.length === 0) return [{ part: words, marked: false }];
  const escaped = wanted.map((mark) => mark.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const parts = words.split(new RegExp(`(${escaped.join("|")})`, "giu"));
  return parts.map((part, at) => ({ part, marked: at % 2 === 1 })).filter(({ part }) => part !== "");
}
