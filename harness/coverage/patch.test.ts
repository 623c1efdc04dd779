import { describe, expect, test } from "vitest";
import { hunksOf, placeHunk } from "./patch.ts";

const body = [
  "diff --git a/fs/ext4/inode.c b/fs/ext4/inode.c",
  "index 1111111..2222222 100644",
  "--- a/fs/ext4/inode.c",
  "+++ b/fs/ext4/inode.c",
  "@@ -2,3 +2,5 @@ int above(void)",
  " two",
  "-three",
  "+drei",
  "+extra",
  " four",
  "+five and a half",
];

/** As git format-patch writes one: with a diffstat above, and a signature below. */
const mail = [
  "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001",
  "Subject: [PATCH 1/2] ext4: an example",
  "",
  "Why.",
  "---",
  " fs/ext4/inode.c | 3 ++-",
  "",
  ...body,
  "-- ",
  "2.39.2",
  "",
];

const [hunk] = hunksOf(mail.join("\n"));

describe("the hunks of a patch", () => {
  test("are read out of a mail, and its signature is no part of them", () => {
    expect(hunksOf(mail.join("\n"))).toEqual([
      {
        file: "fs/ext4/inode.c",
        start: 2,
        lines: [
          { text: "two", added: false },
          { text: "drei", added: true },
          { text: "extra", added: true },
          { text: "four", added: false },
          { text: "five and a half", added: true },
        ],
      },
    ]);
  });

  test("of two mails come one after the other", () => {
    expect(hunksOf([...mail, ...mail].join("\n"))).toHaveLength(2);
  });

  test("leave out the remark on a last line without a newline", () => {
    const text = [...body, "\\ No newline at end of file"].join("\n");
    expect(hunksOf(text)[0]!.lines.at(-1)).toEqual({ text: "five and a half", added: true });
  });

  test("of a text that is no patch are none", () => {
    expect(hunksOf("int main(void)\n{\n}\n")).toEqual([]);
  });
});

const numbers = (source: readonly string[]): (number | undefined)[] =>
  placeHunk(hunk!, source).map(({ number }) => number);

describe("the place of an added line", () => {
  const applied = ["one", "two", "drei", "extra", "four", "five and a half", "six"];

  test("is where the patch says", () => {
    expect(numbers(applied)).toEqual([3, 4, 6]);
  });

  test("moves with what other patches put above it", () => {
    expect(numbers(["new", "new", ...applied])).toEqual([5, 6, 8]);
    expect(numbers(applied.slice(1))).toEqual([2, 3, 5]);
  });

  test("is found where a later patch changed what is around it", () => {
    const later = applied.map((line) => (line === "four" ? "4" : line));
    expect(numbers(later)).toEqual([3, 4, 6]);
  });

  test("is unknown where a later patch took the line away; the others keep theirs", () => {
    const later = applied.map((line) => (line === "five and a half" ? "5.5" : line));
    expect(numbers(later)).toEqual([3, 4, undefined]);
  });

  test("is the nearest of several", () => {
    expect(numbers([...applied, ...applied])).toEqual([3, 4, 6]);
    const far = { ...hunk!, start: 9 };
    expect(placeHunk(far, [...applied, ...applied]).map(({ number }) => number)).toEqual([
      10, 11, 13,
    ]);
  });
});
