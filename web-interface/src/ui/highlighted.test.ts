import { expect, it } from "vitest";
import { splitAtMarks } from "./Highlighted";

it("marks words wherever they stand, longest first, and takes signs literally", () => {
  expect(splitAtMarks("Split main (6 in.) split.", ["split", "(6 in.)"])).toEqual([
    { part: "Split", marked: true },
    { part: " main ", marked: false },
    { part: "(6 in.)", marked: true },
    { part: " ", marked: false },
    { part: "split", marked: true },
    { part: ".", marked: false },
  ]);
});

it("leaves text without marks whole", () => {
  expect(splitAtMarks("as it was", [" "])).toEqual([{ part: "as it was", marked: false }]);
});
