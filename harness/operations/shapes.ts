/**
 * The operations as JSON Schema, for what must do without zod: the packed model has in place of
 * this module what it exports (ci/rolldown.config.mjs).
 */
import * as z from "zod";
import { operationSchema } from "./operation.ts";

/** As much of JSON Schema as operations take. */
export interface Shape {
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
}

export const shapes = z.toJSONSchema(operationSchema) as Shape;
