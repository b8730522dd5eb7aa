/**
 * The demo's server, on 8080 (or PORT). Its answers are JSON.
 *
 *   /                       its version, its pod's name and the environment that it was given
 *   /ready, /live           200, or 503 while switched off
 *   /ready/off, /ready/on   switch them; so do /live/off and /live/on
 *   /burn?ms=100            burns that much CPU time, then answers
 *   /slow?ms=100            waits that long, then answers
 *
 * At SIGTERM it finishes what it is answering and ends; with EXIT_AT_SIGTERM=1 it ends at once.
 */
import { createServer } from "node:http";

const {
  HELLO_VERSION: version = "unknown",
  HOSTNAME: host = "",
  POD_NAME: pod = host,
} = process.env;
const healthy = { ready: true, live: true };

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://hello");
  const ms = Math.min(Number(searchParams.get("ms") ?? 0) || 0, 600_000);
  const [, probe = "", turn] = pathname.split("/");
  request.resume();

  if (pathname === "/") return answer(response, 200, { version, pod, env: process.env });
  if (pathname === "/slow")
    return setTimeout(() => answer(response, 200, { version, pod, ms }), ms);
  if (pathname === "/burn") {
    const { user } = process.cpuUsage();
    while (process.cpuUsage().user - user < ms * 1_000);
    return answer(response, 200, { version, pod, ms });
  }
  if (Object.hasOwn(healthy, probe)) {
    if (turn === "on" || turn === "off") {
      healthy[probe] = turn === "on";
      return answer(response, 200, { [probe]: healthy[probe] });
    }
    return answer(response, healthy[probe] ? 200 : 503, { [probe]: healthy[probe] });
  }
  return answer(response, 404, { error: "there is no such path" });
});

function answer(response, status, body) {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...(server.listening ? {} : { connection: "close" }),
  });
  response.end(text);
}

process.on("SIGTERM", () => {
  console.log("SIGTERM");
  if (process.env.EXIT_AT_SIGTERM === "1") process.exit(0);
  server.close(() => process.exit(0));
});
process.on("SIGINT", () => process.exit(0));

server.keepAliveTimeout = 65_000;
server.listen(Number(process.env.PORT ?? 8080), () => console.log(`hello ${version} is listening`));
