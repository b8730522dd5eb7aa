/** `npm start`. Listens to signals before it loads the rest: a stop may come at any moment. */
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort());

const { start } = await import("./supervisor/main.ts");
process.exitCode = await start(process.argv.slice(2), stop.signal);
