/**
 * The distribution's own kernel source: the package linux-source-X.Y of Debian and its derivatives,
 * fetched with apt-get as an ordinary user and unpacked in the cache, once.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { EnvironmentError, UsageError } from "../case/failure.ts";
import { lacksProgram, run } from "../system/process.ts";

const NAME = /^linux-source-(\d+\.\d+)$/;

/** "7.10" is newer than "7.9". */
const byVersion = new Intl.Collator("en", { numeric: true }).compare;

/** The versions in the output of `apt-cache search`, the oldest first. */
export function offeredVersions(searched: string): string[] {
  const names = searched.split("\n").map((line) => line.split(" ")[0] ?? "");
  return names.flatMap((name) => NAME.exec(name)?.[1] ?? []).toSorted(byVersion);
}

function mustSucceed(exitCode: number | undefined, what: string, complaint: string): void {
  if (exitCode === 0) return;
  throw new EnvironmentError(
    "process-failed",
    `${what} failed: ${complaint}`,
    "Run apt-get update, and look whether the package sources have a linux-source package (apt-cache search linux-source).",
  );
}

async function versionToTake(wanted: string | undefined): Promise<string> {
  const { stdout } = await run("apt-cache", ["search", "--names-only", "^linux-source-[0-9]"]);
  const offered = offeredVersions(stdout);
  if (wanted !== undefined && offered.includes(wanted)) return wanted;
  if (wanted !== undefined && offered.length > 0) {
    throw new UsageError(`apt offers no linux-source-${wanted}; it offers ${offered.join(", ")}`);
  }
  const newest = offered.at(-1);
  if (newest !== undefined) return newest;
  throw new EnvironmentError(
    "missing-program",
    "apt offers no linux-source package",
    "Run apt-get update, or give a tree with --source DIR.",
  );
}

async function unpack(folder: string, name: string): Promise<void> {
  const [deb] = readdirSync(folder).filter((file) => file.endsWith(".deb"));
  const member = `./usr/src/${name}.tar.xz`;
  const contents = execa("dpkg-deb", ["--fsys-tarfile", join(folder, deb ?? "")], {
    reject: false,
    buffer: false,
  });
  const source = contents.pipe("tar", ["-xO", member], { reject: false, buffer: false });
  const { exitCode, stderr } = await source.pipe("tar", ["-xJ", "-C", folder], { reject: false });
  mustSucceed(exitCode, `unpacking ${name}`, stderr);
}

/**
 * The tree of the distribution's kernel source in `cache`, of version `wanted` or the newest that
 * apt offers. Throws UsageError where that version is not offered, EnvironmentError where none is
 * or it cannot be had.
 */
export async function debianSource(wanted: string | undefined, cache: string): Promise<string> {
  const lacking = ["apt-cache", "apt-get", "dpkg-deb", "tar", "xz"]
    .map(lacksProgram)
    .find((lack) => lack !== undefined);
  if (lacking !== undefined) throw lacking;
  const name = `linux-source-${await versionToTake(wanted)}`;
  const tree = join(cache, name);
  if (existsSync(tree)) return tree;
  const folder = join(cache, `${name}.${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const fetched = await run("apt-get", ["-q", "download", name], { cwd: folder });
    mustSucceed(fetched.exitCode, `apt-get download ${name}`, fetched.complaint);
    await unpack(folder, name);
    renameSync(join(folder, name), tree);
    return tree;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
