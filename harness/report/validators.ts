/**
 * For tests: whether reports are what their readers take.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { validateXML } from "xmllint-wasm";
import { packageRoot } from "../host/package.ts";

const read = (...path: string[]): string => readFileSync(join(packageRoot, ...path), "utf8");

/** What is wrong with XML by junit.xsd; nothing where nothing is. */
export async function junitFaults(xml: string): Promise<string[]> {
  const schema = [{ fileName: "junit.xsd", contents: read("harness", "report", "junit.xsd") }];
  const { errors } = await validateXML({ xml: [{ fileName: "r.xml", contents: xml }], schema });
  return errors.map(({ message }) => message);
}

/** What is wrong with JSON by a schema of docs/schemas/; nothing where nothing is. */
export function jsonFaults(text: string, name: "outcome" | "result" | "variants" | "doctor") {
  const ajv = new Ajv2020({
    strict: true,
    // A record of known keys requires what it lists elsewhere.
    strictRequired: false,
    allErrors: true,
    // Moments are held to a pattern, which says the same.
    validateFormats: false,
  });
  ajv.validate(JSON.parse(read("docs", "schemas", `${name}.json`)) as object, JSON.parse(text));
  return (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}
