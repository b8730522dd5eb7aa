import { expect, test } from "vitest";
import { logOptionsOf } from "./log-options.ts";

const read = (text: string) => logOptionsOf(new URLSearchParams(text), "web");
const plain = { follow: false, previous: false, timestamps: false, stream: "All" };

test.each([
  { asked: "", is: plain },
  { asked: "follow=true&timestamps=1", is: { ...plain, follow: true, timestamps: true } },
  { asked: "tailLines=0&limitBytes=7", is: { ...plain, tailLines: 0, limitBytes: 7 } },
  { asked: "stream=Stderr", is: { ...plain, stream: "Stderr" } },
  { asked: "sinceTime=2026-01-01T00:00:00Z", is: { ...plain, sinceTime: "2026-01-01T00:00:00Z" } },
])("of '$asked' are read", ({ asked, is }) => {
  expect(read(asked)).toEqual(is);
});

test.each([
  {
    asked: "tailLines=-1",
    told: "tailLines: Invalid value: -1: must be greater than or equal to 0",
  },
  { asked: "sinceSeconds=0", told: "sinceSeconds: Invalid value: 0: must be greater than 0" },
  { asked: "limitBytes=0", told: "limitBytes: Invalid value: 0: must be greater than 0" },
  { asked: "limitBytes=x", told: 'limitBytes: Invalid value: "x"' },
  { asked: "sinceTime=soon", told: 'sinceTime: Invalid value: "soon"' },
  { asked: "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", told: "at most one of `sinceTime`" },
  { asked: "stream=Both", told: 'stream: Unsupported value: "Both"' },
  { asked: "stream=Stdout&tailLines=1", told: "mutually exclusive for now" },
])("of '$asked' are refused", ({ asked, told }) => {
  expect(() => read(asked)).toThrow(told);
});
