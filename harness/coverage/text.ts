/**
 * Coverage in words.
 */
import { counted, grouped } from "../text/numbers.ts";
import { paintWith } from "../text/terminal.ts";
import type { Paint } from "../text/terminal.ts";
import { functionAt } from "./lines.ts";
import type { FileCoverage } from "./lines.ts";
import type { CodeLine, PatchCoverage, PatchedFile } from "./patch-coverage.ts";

type Counts = readonly number[];

const ranIn = (counts: Counts): number => counts.filter((count) => count > 0).length;

/** "1,234 of 2,000   61.7 %" */
function shareText(counts: Counts): string {
  const [ran, of] = [ranIn(counts), counts.length];
  const percent = of === 0 ? "-" : `${((100 * ran) / of).toFixed(1)} %`;
  return `${grouped(ran).padStart(7)} of ${grouped(of).padStart(6)} ${percent.padStart(8)}`;
}

const NAME = 24;

function row(name: string, files: readonly FileCoverage[]): string {
  const lines = files.flatMap((file) => [...file.lines.values()]);
  const calls = files.flatMap((file) => [...file.functions.values()].map((one) => one.calls));
  return `${name.padEnd(NAME)} ${shareText(lines)}   ${shareText(calls)}`;
}

/** "lines" over what `shareText` gives. */
const heading = (name: string): string => name.padStart(shareText([]).length);

const folderOf = (name: string): string => name.slice(0, name.lastIndexOf("/"));
const baseOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

/** A table of the files, lines ending in "\n". */
export function tableText(files: readonly FileCoverage[]): string {
  const folders = [...new Set(files.map(({ name }) => folderOf(name)))];
  const rows = folders.flatMap((folder) => {
    const inside = files.filter(({ name }) => folderOf(name) === folder);
    return [row(folder, inside), ...inside.map((file) => row(`  ${baseOf(file.name)}`, [file]))];
  });
  const title = `${"what ran".padEnd(NAME)} ${heading("lines")}   ${heading("functions")}`;
  return [title, ...rows, ""].join("\n");
}

/** The folders alone. */
export function totalsText(files: readonly FileCoverage[]): string {
  const lines = tableText(files).split("\n");
  return [...lines.filter((line) => !line.startsWith(" ") && line !== ""), ""].join("\n");
}

/** Code of a patch that did not run, and nothing of the patch that did lies in between. */
interface Gap {
  /** The function that it is in. */
  within: string | undefined;
  code: CodeLine[];
}

function gapsOf(code: readonly CodeLine[], coverage: FileCoverage): Gap[] {
  const gaps: Gap[] = [];
  let open: Gap | undefined;
  for (const line of code) {
    const within = functionAt(line.number, coverage);
    if (line.count > 0) open = undefined;
    else if (open !== undefined && open.within === within) open.code.push(line);
    else gaps.push((open = { within, code: [line] }));
  }
  return gaps;
}

function callsText(name: string, { functions }: FileCoverage): string {
  const calls = functions.get(name)?.calls ?? 0;
  return `${name}(), ${calls === 0 ? "never called" : `called ${counted(calls, "time")}`}`;
}

const countsOf = (code: readonly CodeLine[]): Counts => code.map(({ count }) => count);

function fileLines({ coverage, code }: PatchedFile, paint: Paint): string[] {
  const ran = `${grouped(ranIn(countsOf(code)))} of ${counted(code.length, "line")} ran`;
  const lines = [paint("bold", `${coverage.name}: ${ran}`)];
  let inside: string | undefined;
  for (const { within, code: missed } of gapsOf(code, coverage)) {
    if (within !== undefined && within !== inside) {
      lines.push(`  ${callsText(within, coverage)}; not run:`);
    }
    inside = within;
    const texts = missed.map(
      ({ number, text }) => `    ${String(number).padStart(5)}  ${text.replaceAll("\t", "  ")}`,
    );
    lines.push(...texts, "");
  }
  return lines.at(-1) === "" ? lines : [...lines, ""];
}

/** Which lines of the patch ran and which did not, lines ending in "\n". */
export function patchText(patch: string, what: PatchCoverage, colour: boolean): string {
  const paint = paintWith(colour);
  const code = what.files.flatMap((file) => file.code);
  const [ran, of] = [ranIn(countsOf(code)), code.length];
  const verdict =
    of === 0
      ? "none holds code"
      : `${grouped(of)} hold code: ${grouped(ran)} ran, ${grouped(of - ran)} did not`;
  return [
    paint("bold", `${patch}: ${counted(what.added, "added line")}, ${verdict}`),
    "",
    ...what.files.flatMap((file) => fileLines(file, paint)),
    ...what.unmeasured.map(
      (name) => `${name}: not measured (fs/ext4 and fs/iomap are, where they are built)`,
    ),
    ...(what.absent.length === 0
      ? []
      : [
          `${counted(what.absent.length, "added line")} not in the source of this kernel; the first of them:`,
          ...what.absent.slice(0, 3).map(({ file, text }) => `  ${file}: ${text.trim()}`),
          "",
        ]),
  ].join("\n");
}
