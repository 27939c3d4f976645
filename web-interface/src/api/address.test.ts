import { expect, it } from "vitest";
import { path, queryText } from "./address";
import { problemFrom } from "./problem";

it("percent-encodes ids in paths, whatever they hold", () => {
  expect(path`/components/${"ky4:pipe:P%2F1~x"}/history`).toBe("/components/ky4%3Apipe%3AP%252F1~x/history");
});

it("leaves out parameters that are not given", () => {
  expect(queryText({ type: "Pipe", q: "", cursor: undefined, limit: 50 })).toBe("?type=Pipe&limit=50");
  expect(queryText({ q: undefined })).toBe("");
});

it("reads a problem document, and answers of something else in between", () => {
  const problem = problemFrom({ error: "Too many.", code: "too_many", mend: "Wait." }, 429, "27");
  expect([problem.message, problem.code, problem.mend, problem.retryAfterS]).toEqual([
    "Too many.",
    "too_many",
    "Wait.",
    27,
  ]);
  expect(problemFrom(null, 502, null).message).toBe("The server answered 502.");
});
