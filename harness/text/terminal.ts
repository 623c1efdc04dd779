/**
 * Text for a terminal: colour where it is wanted, and nothing that a terminal would obey.
 */
import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

/** Gives `text` a style, or does not. */
export type Paint = (style: Style, text: string) => string;

export function paintWith(colour: boolean): Paint {
  if (!colour) return (_, text) => text;
  // Not the check of styleText itself: whether colour is wanted was decided by the caller.
  return (style, text) => (text === "" ? "" : styleText(style, text, { validateStream: false }));
}

/**
 * Whether to write colour to `stream`: only to a terminal, and not where NO_COLOR is set
 * (https://no-color.org) or the terminal is a dumb one.
 */
export function wantsColour(
  stream: { isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const refused = env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "";
  return stream.isTTY === true && !refused && env["TERM"] !== "dumb";
}

/**
 * `text` without characters that are not there to be read: in a name or a message from a file,
 * control characters could rewrite the screen, and format characters such as U+202E could reverse
 * what it says.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{NChar}]/gu, "?");
}

/** What rewrites the live line. */
export const TO_LINE_START = "\r\u001b[K";

/**
 * Characters that are not there to be read, and the sequences that this program itself writes, each
 * as one.
 */
const UNREADABLE = new RegExp(
  String.raw`\r\u001b\[K|\u001b\[[\d;]*m|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{NChar}]`,
  "gu",
);

/**
 * `text` as it may go to an output: with its lines and tabs, with colours where `colour` is wanted,
 * with the live line on a terminal, and with nothing else that a terminal would obey.
 */
export function safeOutput(text: string, isTTY: boolean, colour: boolean): string {
  return text.replaceAll(UNREADABLE, (found) => {
    if (found === "\n" || found === "\t") return found;
    if (found === TO_LINE_START ? isTTY : found.length > 1 && colour) return found;
    return printable(found);
  });
}

/**
 * From here on whatever is written to `stream` as text is safe for a terminal. What is quoted
 * (files, names, the kernel's log, e2fsck) should be `printable` before, so that it cannot make
 * lines and colours of its own; this is for what somebody has forgotten.
 */
export function keepSafe(stream: NodeJS.WriteStream): void {
  const write = stream.write.bind(stream) as (...words: unknown[]) => boolean;
  const safe = (chunk: unknown, ...rest: unknown[]): boolean => {
    if (typeof chunk !== "string") return write(chunk, ...rest);
    const text = safeOutput(chunk, stream.isTTY, wantsColour(stream, process.env));
    return write(text, ...rest);
  };
  stream.write = safe;
}
