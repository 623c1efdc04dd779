import * as fs from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../case/failure.ts";
import { mustBeWritable, Output, streamInto, writeOutput } from "./output.ts";

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "conform-output-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

/** Somebody who reads a FIFO to its end; not through this process, which waits while it writes. */
function reader(path: string): Promise<string> {
  const into = fs.openSync(`${path}.read`, "w");
  const cat = spawn("cat", [path], { stdio: ["ignore", into, "ignore"] });
  fs.closeSync(into);
  return once(cat, "close").then(() => fs.readFileSync(`${path}.read`, "utf8"));
}

/** Outputs stay open: a reader of a FIFO waits until the process ends, or for this. */
function closeAll(path: string): void {
  const { ino } = fs.statSync(path);
  for (let fd = 3; fd < 100; fd++) {
    try {
      if (fs.fstatSync(fd).ino === ino) fs.closeSync(fd);
    } catch {
      // Not open.
    }
  }
}

/** A reader of a FIFO opens it at a time of its own. */
async function openedOnceRead(path: string): Promise<Output> {
  for (const until = Date.now() + 10_000; ;) {
    try {
      return Output.open(path);
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe("an output", () => {
  test("is a new file, and nothing beside it", () => {
    fs.mkdirSync(at("new"));
    const output = Output.open(at("new/file"));
    expect(fs.readdirSync(at("new"))).toEqual([]);
    output.write("one");
    output.write("two");
    expect(fs.readFileSync(at("new/file"), "utf8")).toBe("two");
    expect(fs.readdirSync(at("new"))).toEqual(["file"]);
    expect(output.isFile).toBe(true);
  });

  test("takes the place of a file, and what it was allowed to", () => {
    fs.writeFileSync(at("there"), "before, and longer", { mode: 0o600 });
    const held = fs.openSync(at("there"), "r");
    const output = Output.open(at("there"));
    expect(fs.readFileSync(at("there"), "utf8")).toBe("before, and longer");
    output.write("after");
    expect(fs.readFileSync(at("there"), "utf8")).toBe("after");
    expect(fs.statSync(at("there")).mode & 0o777).toBe(0o600);
    // Whole or not at all: who has it open goes on reading what was there.
    expect(fs.readFileSync(held, "utf8")).toBe("before, and longer");
    fs.closeSync(held);
  });

  test("is what links lead to, and the links stay", () => {
    fs.mkdirSync(at("far"));
    fs.symlinkSync("far/middle", at("link"));
    fs.symlinkSync("end", at("far/middle"));
    for (const text of ["made", "replaced"]) {
      writeOutput(at("link"), text);
      expect(fs.readFileSync(at("far/end"), "utf8")).toBe(text);
    }
    expect(fs.readlinkSync(at("link"))).toBe("far/middle");
    expect(fs.readlinkSync(at("far/middle"))).toBe("end");
  });

  test("is a FIFO that somebody reads, all of it", async () => {
    execaSync("mkfifo", [at("fifo")]);
    const read = reader(at("fifo"));
    const output = await openedOnceRead(at("fifo"));
    const text = "x".repeat(1_000_000);
    output.write(text);
    const stream = streamInto(fs.openSync(at("fifo"), "w"));
    await new Promise((resolve) => stream.end("the end", () => resolve(undefined)));
    expect(fs.lstatSync(at("fifo")).isFIFO()).toBe(true);
    closeAll(at("fifo"));
    expect(await read).toBe(`${text}the end`);
  });

  test("into descriptors of this process, under each of their names", () => {
    const fd = fs.openSync(at("open"), "w");
    for (const name of [`/dev/fd/${fd}`, `/proc/self/fd/${fd}`, `/proc/${process.pid}/fd/${fd}`]) {
      Output.open(name).write("more ");
    }
    fs.closeSync(fd);
    expect(fs.readFileSync(at("open"), "utf8")).toBe("more more more ");
    for (const name of ["-", "/dev/stdout", "/proc/self/fd/1"]) {
      expect(Output.open(name).isStandardOutput).toBe(true);
    }
  });

  test.each([
    ["a folder", ".", /it is a directory$/],
    ["a folder by its slash", "x/", /it is no name of a file$/],
    ["no name", "", /^"" cannot be written: it is no name of a file$/],
    ["no folder", "none/x", /there is no such file or directory$/],
    ["a file for a folder", "plain/x", /a part of the path is no directory$/],
    ["links in a circle", "circle", /its links lead nowhere$/],
    ["a link into no folder", "astray", /there is no such file or directory$/],
    ["a FIFO that nobody reads", "unread", /nobody reads from it, or there is no such device$/],
    ["a descriptor that is not open", "/dev/fd/987", /no such file|not open for writing/],
    ["a new file of the kernel's", "/proc/x", /there is no such file or directory$/],
    ["a file of the kernel's", "/proc/version", /cannot be written: /],
    ["a name that is too long", "x".repeat(256), /the name is too long$/],
  ])("is not %s, in one line and at once", (_, name, message) => {
    fs.writeFileSync(at("plain"), "");
    if (!fs.existsSync(at("unread"))) {
      execaSync("mkfifo", [at("unread")]);
      fs.symlinkSync("circle", at("circle"));
      fs.symlinkSync("none/x", at("astray"));
    }
    const before = fs.readdirSync(folder);
    const path = name === "" || name.startsWith("/") ? name : `${folder}/${name}`;
    expect(() => Output.open(path)).toThrow(UsageError);
    expect(() => Output.open(path)).toThrow(message);
    expect(fs.readdirSync(folder)).toEqual(before);
  });

  test("is not what became something else meanwhile", () => {
    const output = Output.open(at("turned"));
    fs.mkdirSync(at("turned"));
    expect(() => output.write("x")).toThrow(/it is no regular file any more$/);
    expect(fs.statSync(at("turned")).isDirectory()).toBe(true);
  });
});

describe("a folder for outputs", () => {
  test("is made, with those above it", () => {
    mustBeWritable(at("a/b/c"));
    mustBeWritable(at("a/b/c"));
    expect(fs.readdirSync(at("a/b/c"))).toEqual([]);
  });

  test.each([
    ["below /proc, where no folder is made", "/proc/x/y", /there is no such file or directory$/],
    ["in /proc", "/proc/self", /cannot be written to \/proc\/self: /],
    ["a file", "file", /a part of the path is no directory$/],
    ["below a file", "file/x", /a part of the path is no directory$/],
    ["a link that leads nowhere", "lost", /something else is there$/],
  ])("%s is refused, in one line and at once", (_, name, message) => {
    fs.writeFileSync(at("file"), "");
    fs.rmSync(at("lost"), { force: true });
    fs.symlinkSync("nowhere", at("lost"));
    const path = name.startsWith("/") ? name : at(name);
    expect(() => mustBeWritable(path)).toThrow(UsageError);
    expect(() => mustBeWritable(path)).toThrow(message);
  });
});
