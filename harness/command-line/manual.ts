/**
 * The manual page, as man(7) has it.
 */
import { flat } from "./described.ts";
import type { Described, DescribedOption } from "./described.ts";

/** Text that stands for itself. A line that begins with a dot would be a request. */
const plain = (text: string): string =>
  text
    .replaceAll("\\", String.raw`\e`)
    .replaceAll("-", String.raw`\-`)
    .replaceAll(/^(?=[.'])/gm, String.raw`\&`);

const bold = (text: string): string => String.raw`\fB${plain(text)}\fR`;
const italic = (text: string): string => String.raw`\fI${plain(text)}\fR`;

/** Text as it is, line by line. */
const asItIs = (text: string): string => `.nf\n${plain(text)}\n.fi`;

function optionText({ long, short, placeholder, description }: DescribedOption): string {
  const names = [...(short === undefined ? [] : [short]), long].map(bold).join(", ");
  const takes = placeholder === undefined ? "" : ` ${italic(placeholder)}`;
  return `.TP\n${names}${takes}\n${plain(description)}`;
}

/** Paragraphs; those that begin with a line that ends in a colon are sections, or set in. */
function afterText(after: string, heading: "SH" | "SS" | undefined): string[] {
  return after
    .trim()
    .split(/\n\n+/)
    .filter((paragraph) => paragraph !== "")
    .flatMap((paragraph) => {
      const [, all, text] = /^([^\n]*):\n([^]*)$/.exec(paragraph) ?? [];
      if (text === undefined) return [".PP", plain(paragraph)];
      // "Examples, of what is called here": the manual is not called from where it was made.
      const [title = ""] = all!.split(",");
      const name = heading === "SH" ? title.toUpperCase() : title;
      const head = heading === undefined ? `.PP\n${plain(name)}:` : `.${heading} ${plain(name)}`;
      return [head, asItIs(text.trimEnd())];
    });
}

function commandText({ path, usage, description, options, after }: Described): string[] {
  return [
    `.SS ${plain(path.join(" "))}`,
    bold(usage),
    ".PP",
    plain(description),
    // That there is help is said of the program.
    ...options.filter(({ long }) => long !== "--help").map(optionText),
    ...afterText(after, undefined),
  ];
}

/** The page of the program with all its commands. */
export function manual(program: Described, version: string): string {
  const [first, ...commands] = flat(program);
  const { description, usage, options, after } = first!;
  const lines = [
    `.TH EXT4\\-CONFORM 1 "" "ext4\\-conform ${version}" "User Commands"`,
    ".SH NAME",
    "ext4\\-conform \\- conformance tests of the ext4 write path against a model",
    ".SH SYNOPSIS",
    bold(usage),
    ".SH DESCRIPTION",
    plain(description),
    ".SH OPTIONS",
    ...options.map(optionText),
    ".SH COMMANDS",
    ...commands.flatMap(commandText),
    ...afterText(after, "SH"),
  ];
  return `${lines.join("\n")}\n`;
}
