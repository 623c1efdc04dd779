import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { variants } from "../../images/variants.ts";
import { EnvironmentError } from "../case/failure.ts";
import { openImage } from "./image.ts";
import { sweepLeftovers } from "./leftovers.ts";
import { machineLacks } from "../system/machine.ts";
import { foldersOf, leftBehind, loopsOf, mountsSeenBy } from "../workers/traces-left.ts";

const lacking = machineLacks();
const repository = join(import.meta.dirname, "../..");
const small = variants.find(({ name }) => name === "4k-small")!;

describe.skipIf(lacking)(`image ${lacking?.message ?? ""}`, () => {
  test.each(variants)("$name mounts, remounts, and leaves nothing", async (variant) => {
    const image = await openImage(variant);
    const pools = image.pool === undefined ? [] : [dirname(image.imageFile)];
    expect(mountsSeenBy("self")).toEqual([image.directory, ...pools, image.mountPoint]);
    expect(loopsOf(process.pid)).toEqual([basename(image.loopDevice)]);
    // Nobody else sees them.
    expect(mountsSeenBy(process.ppid)).toEqual([]);
    writeFileSync(join(image.mountPoint, "file"), "kept");
    image.remount();
    expect(image.mounts).toBe(2);
    expect(readFileSync(join(image.mountPoint, "file"), "utf8")).toBe("kept");
    expect(existsSync(join(image.sysfs, "delayed_allocation_blocks"))).toBe(true);
    image.close();
    image.close();
    expect(leftBehind(process.pid)).toEqual([]);
  });

  test("a refused mount says which option it was, and leaves nothing", async () => {
    const variant = { ...small, mountOptions: ["no_such_option"] };
    const refused = openImage(variant);
    await expect(refused).rejects.toBeInstanceOf(EnvironmentError);
    await expect(refused).rejects.toMatchObject({
      reason: "mount-refused",
      message: "ext4 of this kernel does not know the mount option no_such_option",
    });
    expect(leftBehind(process.pid)).toEqual([]);
  });

  // 6.18 refuses it.
  test("blocks larger than a page are refused as a skip, or judged by the contract", async () => {
    const outcome = await openImage({ ...small, imageSize: 2 ** 28, blockSize: 65_536 }).then(
      (image) => {
        image.close();
        return image.notModelled;
      },
      (error: unknown) => error instanceof EnvironmentError && `${error.reason}: ${error.message}`,
    );
    expect(outcome).toMatch(/larger than a page|^mount-refused: .*bad block size 65536/);
    expect(leftBehind(process.pid)).toEqual([]);
  });

  test("a refused mkfs says what mkfs said, and leaves nothing", async () => {
    const refused = openImage({ ...small, mkfsOptions: ["-O", "no_such_feature"] });
    await expect(refused).rejects.toMatchObject({
      reason: "mkfs-failed",
      message: expect.stringContaining("no_such_feature") as string,
    });
    expect(leftBehind(process.pid)).toEqual([]);
  });

  test("an image larger than the machine is no-space", async () => {
    const refused = openImage({ ...small, imageSize: 2 ** 50 });
    await expect(refused).rejects.toMatchObject({ reason: "no-space" });
  });
});

/** A compiled module as an import specifier. */
function dist(path: string): string {
  return JSON.stringify(pathToFileURL(join(repository, "dist", path)).href);
}

/**
 * What a child process runs that holds an image, with a file open in it, and then does as it is
 * told.
 */
function childScript(then: string): string {
  return `
    const { openImage } = await import(${dist("harness/subjects/image.js")});
    const { KernelSubject } = await import(${dist("harness/subjects/kernel-subject.js")});
    const image = await openImage(${JSON.stringify(small)});
    const subject = new KernelSubject(image);
    subject.begin();
    console.log(image.directory);
    ${then}
  `;
}

function ended(child: ChildProcess): Promise<NodeJS.Signals | number | null> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? code));
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout!) {
    text += String(chunk);
    if (text.includes("\n")) return text.split("\n")[0]!;
  }
  throw new Error("the child ended before it had an image");
}

describe.skipIf(lacking)(`an image whose process ends ${lacking?.message ?? ""}`, () => {
  const children: ChildProcess[] = [];

  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    sweepLeftovers();
  });

  async function hold(then: string): Promise<{ child: ChildProcess; pid: number }> {
    const args = ["--input-type=module", "-e", childScript(then)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    await firstLine(child);
    return { child, pid: child.pid! };
  }

  test("a live run is not swept; after kill -9 the next start removes everything", async () => {
    const { child, pid } = await hold("setInterval(() => {}, 1000);");
    const [directory = ""] = foldersOf(pid);
    expect(sweepLeftovers()).not.toContain(directory);
    expect(mountsSeenBy(pid)).toEqual([directory, join(directory, "mnt")]);
    expect(loopsOf(pid)).toHaveLength(1);
    const exit = ended(child);
    child.kill("SIGKILL");
    await exit;
    // The kernel unmounts, and detaches the loop device; an empty folder is left.
    await expect.poll(() => leftBehind(pid)).toEqual([directory]);
    expect(readdirSync(directory)).toEqual(["owner.json"]);
    sweepLeftovers();
    expect(leftBehind(pid)).toEqual([]);
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s removes everything, though a file is open, and still ends the process",
    async (signal) => {
      const { child, pid } = await hold("setInterval(() => {}, 1000);");
      const exit = ended(child);
      child.kill(signal);
      expect(await exit).toBe(signal);
      await expect.poll(() => leftBehind(pid)).toEqual([]);
    },
  );

  test("a signal while a program runs removes everything too", async () => {
    const script = `(await import(${dist("harness/system/process.js")})).run("sleep", ["5"]);`;
    const { child, pid } = await hold(script);
    const exit = ended(child);
    // Time for the program to have started.
    await new Promise((resolve) => setTimeout(resolve, 500));
    child.kill("SIGTERM");
    expect(await exit).toBe("SIGTERM");
    await expect.poll(() => leftBehind(pid)).toEqual([]);
  });

  test.each([
    ["an uncaught error", "throw new Error('broken');", 1],
    ["process.exit", "process.exit(7);", 7],
  ])("%s removes everything", async (_, then, code) => {
    const { child, pid } = await hold(`setTimeout(() => { ${then} }, 100);`);
    expect(await ended(child)).toBe(code);
    await expect.poll(() => leftBehind(pid)).toEqual([]);
  });
});

/** This process as an owner file describes it. */
function self(): { pid: number; startTime: string; scope: string } {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const namespace = execFileSync("readlink", ["/proc/self/ns/pid"], { encoding: "utf8" }).trim();
  const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]!;
  return { pid: process.pid, startTime, scope: `${boot} ${namespace}` };
}

describe.skipIf(process.platform !== "linux" || !existsSync("/dev/shm"))("sweep", () => {
  const directory = join("/dev/shm", `ext4-conform-${process.pid}-madeByTest`);

  function makeDirectory(owner: object | undefined): void {
    mkdirSync(directory);
    if (owner !== undefined) writeFileSync(join(directory, "owner.json"), JSON.stringify(owner));
  }

  afterEach(() => {
    execFileSync("rm", ["-rf", directory]);
  });

  test("a pid that is in use again by another process does not protect a leftover", () => {
    makeDirectory({ ...self(), startTime: "1" });
    expect(sweepLeftovers()).toContain(directory);
    expect(existsSync(directory)).toBe(false);
  });

  test.each([
    ["of this live process", () => self()],
    ["of another boot or guest", () => ({ ...self(), startTime: "1", scope: "elsewhere" })],
    ["without an owner file, of a live pid", () => undefined],
  ])("a directory %s is left alone", (_, owner) => {
    makeDirectory(owner());
    expect(sweepLeftovers()).not.toContain(directory);
    expect(existsSync(directory)).toBe(true);
  });

  test("a leftover is found where TMPDIR is a symbolic link, and one that leads nowhere is no error", () => {
    const folder = mkdtempSync(join("/dev/shm", "conform-test-"));
    const before = process.env["TMPDIR"];
    try {
      mkdirSync(join(folder, "real"));
      symlinkSync("real", join(folder, "link"));
      const leftover = join(folder, "real", "ext4-conform-999999999-madeByTest");
      mkdirSync(leftover);
      process.env["TMPDIR"] = join(folder, "link");
      expect(sweepLeftovers()).toContain(leftover);
      process.env["TMPDIR"] = join(folder, "nowhere");
      expect(() => sweepLeftovers()).not.toThrow();
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
      execFileSync("rm", ["-rf", folder]);
    }
  });

  test("a folder of an earlier boot goes, where no other machine can have it", () => {
    const place = mkdtempSync("/var/tmp/conform-test-");
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = place;
    try {
      const earlier = join(place, "ext4-conform-1-madeByTest");
      mkdirSync(earlier);
      const owner = { ...self(), pid: 1, scope: `another-boot ${self().scope.split(" ")[1]}` };
      writeFileSync(join(earlier, "owner.json"), JSON.stringify(owner));
      expect(sweepLeftovers()).toContain(earlier);
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
      execFileSync("rm", ["-rf", place]);
    }
  });

  test("what was made under another TMPDIR is found, for TMPDIR is the last place", () => {
    const leftover = "/var/tmp/ext4-conform-999999999-madeByTest";
    mkdirSync(leftover);
    expect(sweepLeftovers()).toContain(leftover);
  });

  test("an owner file that is a FIFO holds nobody up", () => {
    mkdirSync(directory);
    execFileSync("mkfifo", [join(directory, "owner.json")]);
    expect(sweepLeftovers()).not.toContain(directory);
    expect(existsSync(directory)).toBe(true);
  });

  test("a directory that only looks like ours is left alone", () => {
    const lookalike = "/dev/shm/ext4-conform-999999999-notOurs";
    mkdirSync(lookalike);
    writeFileSync(join(lookalike, "precious"), "");
    sweepLeftovers();
    expect(existsSync(join(lookalike, "precious"))).toBe(true);
    execFileSync("rm", ["-rf", lookalike]);
  });
});
