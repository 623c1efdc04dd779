/**
 * What a schema says of a value, in the words in which steps are refused (`fields.ts`): which value
 * it is, and what may be there instead.
 */
import type * as z from "zod";
import { valueAt } from "../stored/json-path.ts";
import { shown, shownName } from "../stored/shown.ts";

/** Where something is wrong, and what. */
export interface SchemaFault {
  path: readonly PropertyKey[];
  reason: string;
}

/** What a value of the wrong type is not. */
const types: Readonly<Record<string, string>> = {
  object: "is no object",
  array: "is no list",
  string: "is no string",
  boolean: "is neither true nor false",
  number: "is no whole number",
  int: "is no whole number",
};

/** Values of which one is right: those of a list, or of the members of a union. */
function allowedBy(issue: z.core.$ZodIssue): unknown[] {
  if (issue.code === "invalid_value") return issue.values;
  return issue.code === "invalid_union" ? issue.errors.flat().flatMap(allowedBy) : [];
}

/** A schema may have words of its own; these are zod's. */
const ZODS_OWN = /^(Invalid|Too|Unrecognized)\b/;

function reasonOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (!ZODS_OWN.test(issue.message)) return issue.message;
  const text = shown(value);
  const allowed = allowedBy(issue);
  if (allowed.length > 0) return `${text} is none of ${allowed.join(", ")}`;
  if (issue.code === "invalid_union" && issue.path.at(-1) === "op") {
    return `there is no operation ${text}`;
  }
  if (issue.code === "invalid_type") return `${text} ${types[issue.expected] ?? "is wrong"}`;
  if (issue.code === "invalid_format") return `${text} does not match ${issue.pattern}`;
  const isText = typeof value === "string";
  if (issue.code === "too_big") {
    const limit = String(issue.maximum);
    return isText ? `is longer than ${limit} characters` : `${text} is more than ${limit}`;
  }
  if (issue.code === "too_small") return `${text} is less than ${String(issue.minimum)}`;
  return issue.message;
}

/** The fault that `issue` is in `root`, the value that was checked. */
export function schemaFault(root: unknown, issue: z.core.$ZodIssue): SchemaFault {
  if (issue.code === "unrecognized_keys") {
    // The key is somebody's text: it is shown with the care that a value gets.
    const [key] = issue.keys as [string, ...string[]];
    return { path: [...issue.path, shownName(key)], reason: "there is no such field" };
  }
  const value = valueAt(root, issue.path);
  return { path: issue.path, reason: value === undefined ? "is missing" : reasonOf(issue, value) };
}
