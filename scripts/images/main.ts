/** Makes the images of the demo and of the tests: `node scripts/images/main.ts`. */
import Docker from "dockerode";
import { printedProgress } from "../progress.ts";
import { ensureHelloImages } from "./hello.ts";

await printedProgress().step("images berth/base, berth/hello:v1, berth/hello:v2", () =>
  ensureHelloImages(new Docker()),
);
