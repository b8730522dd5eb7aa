/** SPDY within a WebSocket, as kubectl forwards ports. */
import type { Duplex } from "node:stream";
import { createWebSocketStream, WebSocketServer } from "ws";
import type { Upgrade } from "../http/server.ts";
import { listedIn } from "./upgrade-response.ts";

const protocol = "SPDY/3.1+portforward.k8s.io";
const header = "sec-websocket-protocol";

const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  maxPayload: 16 * 1_024 * 1_024,
});
// The name is no token, which ws insists on: it never sees it.
sockets.on("headers", (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`));

export const asksForTunnel = ({ request }: Pick<Upgrade, "request">): boolean =>
  listedIn(request.headers[header]).includes(protocol);

/** What the tunnel carries; it is destroyed with the WebSocket. */
export function webSocketTunnel({ request, socket, head }: Upgrade): Promise<Duplex> {
  delete request.headers[header];
  return new Promise((resolve) => {
    sockets.handleUpgrade(request, socket, head, (client) => {
      const tunnel = createWebSocketStream(client);
      client.once("close", () => tunnel.destroy());
      resolve(tunnel);
    });
  });
}
