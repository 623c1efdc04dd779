/**
 * Coverage in words.
 */
import { counted, grouped } from "../text/numbers.ts";
import { paintWith } from "../text/terminal.ts";
import type { Paint } from "../text/terminal.ts";
import type { FileCoverage } from "./lines.ts";
import { ranIn } from "./patch-coverage.ts";
import type { CodeLine, PatchCoverage, PatchedFile } from "./patch-coverage.ts";

interface Share {
  ran: number;
  of: number;
}

const sum = (shares: readonly Share[]): Share =>
  shares.reduce((a, b) => ({ ran: a.ran + b.ran, of: a.of + b.of }), { ran: 0, of: 0 });

function share(counts: readonly number[]): Share {
  return { ran: counts.filter((count) => count > 0).length, of: counts.length };
}

const linesOf = ({ lines }: FileCoverage): Share => share([...lines.values()]);

const functionsOf = ({ functions }: FileCoverage): Share =>
  share([...functions.values()].map(({ calls }) => calls));

/** "1,234 of 2,000   61.7 %" */
function shareText({ ran, of }: Share): string {
  const percent = of === 0 ? "-" : `${((100 * ran) / of).toFixed(1)} %`;
  return `${grouped(ran).padStart(7)} of ${grouped(of).padStart(6)} ${percent.padStart(8)}`;
}

const NAME = 28;

function row(name: string, lines: Share, functions: Share): string {
  return `${name.padEnd(NAME)} ${shareText(lines)}   ${shareText(functions)}`;
}

/** "lines" over what `shareText` gives. */
const heading = (name: string): string => name.padStart(shareText({ ran: 0, of: 0 }).length);

/** A table of the files, lines ending in "\n". */
export function tableText(files: readonly FileCoverage[]): string {
  const folders = [...new Set(files.map(({ name }) => folderOf(name)))];
  const rows = folders.flatMap((folder) => {
    const inside = files.filter(({ name }) => folderOf(name) === folder);
    const total = row(folder, sum(inside.map(linesOf)), sum(inside.map(functionsOf)));
    return [
      total,
      ...inside.map((file) => row(`  ${baseOf(file.name)}`, linesOf(file), functionsOf(file))),
    ];
  });
  return [titleLine(), ...rows, ""].join("\n");
}

const titleLine = (): string =>
  `${"what ran".padEnd(NAME)} ${heading("lines")}   ${heading("functions")}`;

const folderOf = (name: string): string => name.slice(0, name.lastIndexOf("/"));
const baseOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

/** The folders alone. */
export function totalsText(files: readonly FileCoverage[]): string {
  const lines = tableText(files).split("\n");
  return [...lines.filter((line) => !line.startsWith(" ") && line !== ""), ""].join("\n");
}

/** The function that a line is in; undefined where it is in none. */
function functionAt(number: number, { functions }: FileCoverage): string | undefined {
  for (const [name, { first, last }] of functions) {
    if (first <= number && number <= last) return name;
  }
  return undefined;
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

function fileLines({ name, code }: PatchedFile, coverage: FileCoverage, paint: Paint): string[] {
  const ran = `${grouped(ranIn(code))} of ${counted(code.length, "line")} ran`;
  const lines = [paint("bold", `${name}: ${ran}`)];
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
export function patchText(
  patch: string,
  what: PatchCoverage,
  files: readonly FileCoverage[],
  colour: boolean,
): string {
  const paint = paintWith(colour);
  const code = what.files.flatMap((file) => file.code);
  const [ran, of] = [ranIn(code), code.length];
  const missed = of - ran;
  const verdict =
    of === 0
      ? "none holds code"
      : `${grouped(of)} hold code: ${grouped(ran)} ran, ${grouped(missed)} did not`;
  return [
    paint("bold", `${patch}: ${counted(what.added, "added line")}, ${verdict}`),
    "",
    ...what.files.flatMap((file) =>
      fileLines(
        file,
        files.find(({ name }) => name === file.name)!,
        paint,
      ),
    ),
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
