import { expect, test } from "vitest";
import { dialFailure } from "./dial-words.ts";

const failed = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

test.each([
  {
    host: "127.0.0.1",
    code: "ECONNREFUSED",
    is: "dial tcp 127.0.0.1:9: connect: connection refused",
  },
  { host: "::1", code: "ETIMEDOUT", is: "dial tcp [::1]:9: i/o timeout" },
  { host: "10.0.0.1", code: "EPIPE", is: "dial tcp 10.0.0.1:9: connect EPIPE" },
])("a failure to dial is told as client-go tells it: $is", ({ host, code, is }) => {
  expect(dialFailure("tcp", { host, port: 9 }, failed(code))).toBe(is);
});
