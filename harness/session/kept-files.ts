/**
 * Files of cases that were left in place, to be checked on disk together: a checkpoint costs as
 * much for a hundred files as for one.
 */
import { leavesFree } from "../case/variant.ts";
import { evictInode } from "../../model/file-system.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import type { Inode } from "../../model/include/types.ts";
import type { Contract } from "../contract/contract.ts";
import { divergence } from "../finding/divergence.ts";
import type { Divergence, DivergenceKind } from "../finding/divergence.ts";
import { blocksHeld } from "../case/extents.ts";
import type { Executor } from "../subjects/executor.ts";
import { checkpoint } from "../subjects/checkpoint.ts";
import type { OnDiskFile } from "../subjects/on-disk.ts";
import type { ExpectedFile, Finding, FindingKind } from "../subjects/same-on-disk.ts";
import type { MountedImage } from "../subjects/image.ts";
import type { ModelSubject } from "../lockstep/model-subject.ts";
import type { Operation } from "../operations/operation.ts";
import { bySeverity } from "../finding/severity.ts";
import { expectedFile, promisedFile } from "./expected-file.ts";

/** Files that make a checkpoint worth its time. */
const ENOUGH_FILES = 128;

/** Share of the image that kept files may hold: the cases go on beside them. */
const MAX_SHARE = 1 / 4;

const atUnmount: ReadonlySet<string> = new Set(
  knownDeviations.filter(({ visible }) => visible === "unmount").map(({ id }) => id),
);

interface Kept {
  operations: readonly Operation[];
  file: ExpectedFile;
  /** Of the model; undefined where there is none. */
  inode?: Inode;
}

/** What a finding is among the divergences. */
const onDiskKinds: Record<FindingKind, DivergenceKind> = {
  inconsistent: "e2fsck",
  size: "on-disk-size",
  map: "on-disk-map",
  blocks: "on-disk-blocks",
  "free-blocks": "free-blocks",
  mount: "mount",
  contents: "contents",
  "kernel-log": "kernel-log",
  silence: "kernel-log",
};

/** Which of the deviations had a part in the files, once for each. */
function showing(files: readonly Kept[], ids: ReadonlySet<string>): string[] {
  return files.flatMap(({ inode }) => [...(inode?.deviated ?? [])].filter((id) => ids.has(id)));
}

export class KeptFiles {
  readonly #image: MountedImage;
  #kept: Kept[] = [];
  #blocks = 0;

  constructor(image: MountedImage) {
    this.#image = image;
  }

  get count(): number {
    return this.#kept.length;
  }

  /** Whether another file may be kept. */
  get hasRoom(): boolean {
    const { variant } = this.#image;
    const free = leavesFree(variant) ?? variant.imageSize / variant.blockSize;
    return this.#blocks <= free * MAX_SHARE;
  }

  /** Whether it is time for a checkpoint. */
  get full(): boolean {
    return this.#kept.length >= ENOUGH_FILES || !this.hasRoom;
  }

  /**
   * Keep the files of the case that both subjects have just run, the last operation of which was an
   * fsync.
   */
  add(
    model: ModelSubject,
    subject: Pick<Executor, "keep">,
    operations: readonly Operation[],
  ): void {
    // What the disk has of it depends on the clock.
    if (model.inode.sizeUntold) return;
    const { path, ino } = subject.keep();
    const failed = model.result < 0;
    const inode = model.keep();
    const file = expectedFile(inode, path, ino);
    this.#add({ operations, inode, file: failed ? { ...file, unsynced: true } : file });
  }

  /** The same of a case that only the contract has judged. */
  addPromised(
    contract: Contract,
    subject: Pick<Executor, "keep">,
    operations: readonly Operation[],
  ): void {
    const promised = contract.file();
    if (promised === undefined) return;
    // debugfs(8) dumps extents only.
    if (!this.#image.superblock.features.has("extent")) return;
    const { path, ino } = subject.keep();
    this.#add({ operations, file: promisedFile(promised, path, ino) });
  }

  #add(kept: Kept): void {
    this.#blocks += blocksHeld(kept.file.map);
    this.#kept.push(kept);
  }

  /**
   * Check all kept files on disk, before that as a power cut would leave them if `cut`, and remove
   * them. Nothing may be open on the image. Returns what was found, the worst first, each with the
   * cases that may have caused it: one where the finding is about a file, all where it is about the
   * file system; and the deviations that had a part in the files that warned at unmount as
   * expected, once for each file.
   */
  async check(cut: boolean): Promise<CheckResult> {
    const kept = this.#kept;
    this.#kept = [];
    this.#blocks = 0;
    const files: OnDiskFile[] = [];
    const expected = kept.map(({ file }) => file);
    const found = await checkpoint(this.#image, expected, cut, (file) => files.push(file));
    const findings = found.toSorted((a, b) =>
      bySeverity({ kind: onDiskKinds[a.kind] }, { kind: onDiskKinds[b.kind] }),
    );
    for (const { inode } of kept) if (inode !== undefined) evictInode(inode);
    const warned = kept.filter(({ file }) => file.warnsAtUnmount === true);
    return {
      findings: findings.map((finding) => ({
        finding,
        suspects: kept
          .filter(({ file }) => finding.path === undefined || finding.path === file.path)
          .map(({ operations }) => operations),
      })),
      deviated: showing(warned, atUnmount),
      files,
    };
  }
}

export interface CheckResult {
  findings: OnDiskFinding[];
  /** Ids of deviations that showed at unmount. */
  deviated: string[];
  /** What was found on disk. */
  files: OnDiskFile[];
}

export interface OnDiskFinding {
  finding: Finding;
  suspects: (readonly Operation[])[];
}

/** A finding of a checkpoint about one case, as a divergence after its last operation. */
export function onDiskDivergence(
  variant: string,
  operations: readonly Operation[],
  finding: Finding,
): Divergence {
  return divergence({
    variant,
    step: Math.max(0, operations.length - 1),
    operations: [...operations],
    kind: onDiskKinds[finding.kind],
    message: finding.message,
  });
}
