import { createHash } from "node:crypto";
import type { Kind } from "../../../libs/model/kind.ts";
import { jsonReply, valueReply } from "../http/reply.ts";
import type { Route } from "../http/server.ts";
import { openApiDocument, openApiPath } from "./openapi-document.ts";

/** `/openapi/v3` and a document for each group and version, made when it is first asked for. */
export function openApiRoutes(kinds: readonly Kind[]): readonly Route[] {
  const paths = [...new Set(kinds.map(openApiPath))];
  const documents = new Map<string, { readonly text: string; readonly hash: string }>();
  const documentOf = (path: string) => {
    const known = documents.get(path);
    if (known !== undefined) return known;
    const text = JSON.stringify(
      openApiDocument(kinds.filter((kind) => openApiPath(kind) === path)),
    );
    const hash = createHash("sha256").update(text).digest("hex").slice(0, 32).toUpperCase();
    const made = { text, hash };
    documents.set(path, made);
    return made;
  };
  return [
    {
      method: "GET",
      path: "/openapi/v3",
      handle: () => {
        const entries = paths.map((path) => {
          const serverRelativeURL = `/openapi/v3/${path}?hash=${documentOf(path).hash}`;
          return [path, { serverRelativeURL }];
        });
        return valueReply({ paths: Object.fromEntries(entries) }, { language: "json" });
      },
    },
    ...paths.map((path): Route => ({
      method: "GET",
      path: `/openapi/v3/${path}`,
      handle: () => jsonReply(documentOf(path).text),
    })),
  ];
}
