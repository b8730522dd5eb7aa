/** Makes the image on which docker-compose.yml builds where no registry can be reached. */
import Docker from "dockerode";
import { composeBaseImage, ensureComposeBaseImage } from "../images/compose-base.ts";
import { printedProgress } from "../progress.ts";
import { ensureEngine } from "../tools/engine.ts";

const progress = printedProgress();
await using _engine = await progress.step("Docker engine and nftables", ensureEngine);
await progress.step(`image ${composeBaseImage}`, () => ensureComposeBaseImage(new Docker()));
