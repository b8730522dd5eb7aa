import { configNamesOf } from "../../../libs/model/pod/config-refs.ts";
import type { ConfigRef } from "../../../libs/protocol/node.ts";
import type { PodWork } from "./spec.ts";

export const configRefsOf = ({ namespace, spec }: PodWork): readonly ConfigRef[] =>
  configNamesOf(spec).map(({ kind, name }) => ({ kind, namespace, name }));
