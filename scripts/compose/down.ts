/** Takes the cluster of `docker compose up` down with all that it left: `node scripts/compose/down.ts [-v]`. */
import { takeDown } from "./take-down.ts";

await takeDown(process.argv.slice(2), process.env);
