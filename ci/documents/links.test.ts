/**
 * Links from document to document lead somewhere, and what the README may be. Only those within the
 * repository: nothing here asks the network.
 */
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, describe, test } from "vitest";
import { EDGE_COLUMNS } from "../../harness/commands/explored-text.ts";
import { packageRoot } from "../../harness/host/package.ts";
import { CLAMPED, STATES } from "../../harness/lockstep/statistics.ts";
import { severityWords } from "../../harness/report/ranked.ts";
import { linksIn } from "./links.ts";
import type { Link } from "./links.ts";

/** Bytes of the README at most. */
const README_BYTES = 9 * 1024;

/** Columns of its tables at most. */
const README_COLUMNS = 80;

const read = (name: string): string => readFileSync(join(packageRoot, name), "utf8");

/** Documents below a folder, by their path. */
const below = (folder: string): string[] =>
  readdirSync(join(packageRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));

const names = [
  "README.md",
  "CONTRIBUTING.md",
  ...["docs", "model", "harness", "properties"].flatMap(below),
];

/** Anchors of the headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/^```.*?^```$/gms, "").matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** Why a link leads nowhere; undefined where it leads somewhere. */
function faultOf({ name, link, file, anchor }: Link): string | undefined {
  const where = join(packageRoot, file);
  if (!existsSync(where)) return `${name}: ${link}: no such file`;
  if (anchor === undefined || statSync(where).isDirectory()) return undefined;
  return anchorsOf(read(file)).has(anchor) ? undefined : `${name}: ${link}: no such heading`;
}

/** Of a document that has nothing but this link. */
const faults = (name: string, link: string) => linksIn(`[it](${link})`, name).map(faultOf);

const linksOf = (name: string): Link[] => linksIn(read(name), name);

describe("links", () => {
  test("lead somewhere", () => {
    const links = names.flatMap(linksOf);
    expect(links.length).toBeGreaterThan(50);
    expect(links.flatMap((link) => faultOf(link) ?? [])).toEqual([]);
  });

  test("that lead nowhere are noticed", () => {
    expect(faults("README.md", "docs/nothing.md")).toEqual([expect.stringMatching(/no such file/)]);
    expect(faults("README.md", "docs/concepts.md#nothing")).toEqual([
      expect.stringMatching(/no such heading/),
    ]);
    expect(faults("docs/patch.md", "concepts.md#glossary")).toEqual([undefined]);
  });

  test("lead from the README to every document of docs/", () => {
    const linked = linksOf("README.md").map(({ file }) => file);
    const all = readdirSync(join(packageRoot, "docs")).filter((name) => name.endsWith(".md"));
    for (const name of all) expect(linked).toContain(`docs/${name}`);
  });
});

describe("the README", () => {
  test("is short", () => {
    expect(Buffer.byteLength(read("README.md"))).toBeLessThanOrEqual(README_BYTES);
  });

  test("has tables of 80 columns", () => {
    const rows = read("README.md")
      .split("\n")
      .filter((line) => line.startsWith("|"));
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.filter((row) => row.length > README_COLUMNS)).toEqual([]);
  });
});

/** First cells of the glossary: a word, or several. */
const explained = [
  ...read("docs/concepts.md")
    .split("## Glossary")[1]!
    .matchAll(/^\| ([^|]+?) +\|/gm),
].map(([, words]) => words!);

test.each([...Object.values(severityWords), ...STATES, ...CLAMPED, ...EDGE_COLUMNS])(
  "the glossary has '%s'",
  (word) => {
    expect(explained.filter((words) => words.includes(word))).not.toEqual([]);
  },
);
