/**
 * What the program says: to standard output, unless that is taken by a file that somebody asked
 * for; and to nobody once the reader or the terminal is gone.
 */
import { closeSync } from "node:fs";
import { isatty } from "node:tty";
import { wantsColour } from "./terminal.ts";
import { columnsOf, fitted } from "./wrap.ts";

let stream: NodeJS.WriteStream = process.stdout;

/**
 * From now on the text goes to standard error: standard output is for what is written there as a
 * file.
 */
export function sayOnStandardError(): void {
  stream = process.stderr;
}

/** Write text for the user, in lines that fit. */
export function say(text: string): void {
  if (!gone.has(stream)) stream.write(fitted(text, columns()));
}

/**
 * Write a message beside the text: progress, errors. In lines that fit on a terminal only: a log is
 * searched for a message, which is one line there.
 */
export function complain(text: string): void {
  const { stderr } = process;
  if (gone.has(stderr)) return;
  stderr.write(stderr.isTTY ? fitted(text, columnsOf(stderr)) : text);
}

/** Columns that the text may have. */
export const columns = (): number => columnsOf(stream);

/** Whether the text may have colour. */
export const colourWanted = (): boolean => wantsColour(stream, process.env);

/** Streams that cannot be written to any more. */
const gone = new Set<NodeJS.WriteStream>();

/**
 * A reader that has seen enough (head, less) and a terminal that is closed are no failures of ours:
 * nothing more is said, and the run goes on, since whoever asks for the exit status must not be
 * told that it conforms before there is a verdict.
 *
 * At the end of a process Node restores the settings of its terminals, and aborts where one is gone
 * (node.cc, ResetStdio); descriptors that are closed it leaves alone. They were never changed here,
 * so there is nothing to restore.
 */
export function outliveStreams(): void {
  for (const one of [process.stdout, process.stderr]) one.on("error", () => gone.add(one));
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.on("exit", () => {
    for (const fd of terminals) closeSync(fd);
  });
}
