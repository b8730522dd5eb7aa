import type { OutgoingHttpHeaders } from "node:http";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { negotiateType } from "../http/accept.ts";
import { etagOf, headersOf, holds, unchanged } from "../http/etag.ts";
import type { Reply } from "../http/reply.ts";
import type { Exchange, Route } from "../http/server.ts";
import { metricsKinds } from "../metrics/metrics-kinds.ts";
import { type Resource, resourcesOf } from "./discovery.ts";
import { openApiDocument, openApiPath } from "./openapi-document.ts";
import { gnostic } from "./openapi-gnostic.ts";
import type { Json } from "./openapi-schemas.ts";
import { openApiV2 } from "./openapi-v2.ts";

type Form = { readonly body: string | Uint8Array; readonly etag: string };

const json = "application/json";
/** Clients also ask for it with an `@`, which Go takes for no media type when it reads a reply. */
const v2Protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const v2Types = [json, v2Protobuf, v2Protobuf.replace("v2.v1.0", "v2@v1.0")];

/**
 * `/openapi/v2`, `/openapi/v3` and there a document for each group and version. Each is made when it is
 * first asked for.
 */
export function openApiRoutes(kinds: readonly Kind[]): readonly Route[] {
  const resources = resourcesOf(kinds);
  const known = [...kinds, ...metricsKinds];
  const paths = [...new Set(resources.map(openApiPath))];
  const documentOf = remembered((path: string) =>
    openApiDocument(
      resources.filter((one: Resource) => openApiPath(one) === path),
      known,
    ),
  );
  const textOf = remembered((path: string) => formOf(JSON.stringify(documentOf(path))));
  const v2 = remembered((_: "v2"): Json => openApiV2(paths.map(documentOf)));
  const v2Form = remembered((type: "json" | "protobuf") =>
    formOf(type === "json" ? JSON.stringify(v2("v2")) : gnostic(v2("v2"))),
  );
  const index = remembered((_: "v3") =>
    formOf(
      JSON.stringify({
        paths: Object.fromEntries(
          paths.map((path) => [
            path,
            { serverRelativeURL: `/openapi/v3/${path}?hash=${textOf(path).etag}` },
          ]),
        ),
      }),
    ),
  );
  return [
    get("/openapi/v2", (exchange) => {
      const agreed = negotiateType(exchange.request.headers.accept, v2Types);
      if (agreed === undefined) throw notAcceptable(v2Types);
      return agreed === json
        ? formReply(v2Form("json"), exchange)
        : formReply(v2Form("protobuf"), exchange, v2Protobuf);
    }),
    get("/openapi/v3", (exchange) => formReply(index("v3"), exchange)),
    ...paths.map((path) =>
      get(`/openapi/v3/${path}`, (exchange) => hashedReply(path, textOf(path), exchange)),
    ),
  ];
}

const get = (path: string, handle: Route["handle"]): Route => ({ method: "GET", path, handle });

const formOf = (body: string | Uint8Array): Form => ({ body, etag: etagOf(body) });

function formReply(
  { body, etag }: Form,
  { request }: Exchange,
  contentType = json,
  more: OutgoingHttpHeaders = {},
): Reply {
  const headers = { ...headersOf(etag), ...more };
  if (holds(request, etag)) return unchanged(headers);
  return { type: "body", code: 200, contentType, body, headers };
}

/** Who names the hash of the content that it wants may keep it for ever; an old one leads to the new. */
function hashedReply(path: string, form: Form, exchange: Exchange): Reply {
  const hash = exchange.query.get("hash");
  if (hash === null || hash === "") return formReply(form, exchange);
  if (hash !== form.etag) {
    const headers = { Location: `/openapi/v3/${path}?hash=${form.etag}` };
    return { type: "body", code: 301, contentType: json, body: "", headers };
  }
  return formReply(form, exchange, json, {
    "Cache-Control": "public, immutable, max-age=31536000",
  });
}

const notAcceptable = (known: readonly string[]) =>
  new ApiError("NotAcceptable", `only the following media types are accepted: ${known.join(", ")}`);

/** Makes each once, when it is first asked for. */
function remembered<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
