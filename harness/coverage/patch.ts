/**
 * A patch's added lines, and where they are in the source that a kernel was built from.
 */
import parseDiff from "parse-diff";

/** A patch's lines of one place, as they are once it is applied. */
export interface Hunk {
  /** In the tree. */
  file: string;
  /** Number of the first, from 1, in the file that the patch makes. */
  start: number;
  lines: { text: string; added: boolean }[];
}

/** An added line. */
export interface AddedLine {
  file: string;
  text: string;
  /** Its number in the source; absent where it is not in it any more, or yet. */
  number?: number;
}

/**
 * The hunks of a patch or of several: a mail, a mailbox, or what git diff prints. Deleted files
 * have none.
 */
export function hunksOf(text: string): Hunk[] {
  return parseDiff(text).flatMap(({ to, chunks }) =>
    chunks.map(({ newStart, changes }) => ({
      file: to ?? "",
      start: newStart,
      lines: changes
        // "\ No newline at end of file" is no line of the file.
        .filter(({ type, content }) => type !== "del" && !content.startsWith("\\"))
        .map(({ type, content }) => ({ text: content.slice(1), added: type === "add" })),
    })),
  );
}

/**
 * Where `lines` begin in `source`, as index from 0, as near to `near` as may be; undefined where
 * they are not in it.
 */
function find(
  lines: readonly string[],
  source: readonly string[],
  near: number,
): number | undefined {
  const here = (at: number): boolean => lines.every((line, i) => source[at + i] === line);
  const places = [...source.keys()].filter(here);
  return places.toSorted((a, b) => Math.abs(a - near) - Math.abs(b - near))[0];
}

/** Runs of added lines in a hunk: of each the index of its first line, and their texts. */
function runsOf({ lines }: Hunk): { first: number; texts: string[] }[] {
  const runs: { first: number; texts: string[] }[] = [];
  for (const [index, { text, added }] of lines.entries()) {
    if (!added) continue;
    const last = runs.at(-1);
    if (last !== undefined && last.first + last.texts.length === index) last.texts.push(text);
    else runs.push({ first: index, texts: [text] });
  }
  return runs;
}

/**
 * The added lines of a hunk with their places in `source`. As a whole where it is there as a whole,
 * however far it was moved; else, where later patches changed something within, what of it is still
 * there in one piece.
 */
export function placeHunk(hunk: Hunk, source: readonly string[]): AddedLine[] {
  const { file, start, lines } = hunk;
  const texts = lines.map(({ text }) => text);
  const whole = find(texts, source, start - 1);
  return runsOf(hunk).flatMap(({ first, texts: run }) => {
    const near = start - 1 + first;
    const at = whole === undefined ? find(run, source, near) : whole + first;
    return run.map((text, i) => ({
      file,
      text,
      ...(at === undefined ? {} : { number: at + i + 1 }),
    }));
  });
}
