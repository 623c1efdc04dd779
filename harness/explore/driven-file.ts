/**
 * The file in which it is kept what was driven, while it is.
 */
import { mustBeSame, readExploration, writeExploration } from "../stored/exploration.ts";
import type { StoredExploration } from "../stored/exploration.ts";
import { EdgeSet } from "./driven.ts";
import type { DrivenEdges } from "./driven.ts";

/** What was driven, in a file that is written anew whenever somebody tells more of it. */
export class DrivenFile {
  readonly #path: string;
  readonly #before: StoredExploration | undefined;
  #stored: StoredExploration | undefined;

  /** @throws UsageError where there is such a file and it cannot be read */
  constructor(path: string) {
    this.#path = path;
    this.#before = readExploration(path);
  }

  get before(): Readonly<Record<string, DrivenEdges>> {
    return this.#before?.driven ?? {};
  }

  /** @throws UsageError where the file is of another exploration, or cannot be written */
  begin(what: Omit<StoredExploration, "driven">): void {
    if (this.#before !== undefined) mustBeSame(this.#path, this.#before, what);
    this.#stored = { ...what, driven: { ...this.before } };
    writeExploration(this.#path, this.#stored);
  }

  /** A job has driven these. Of another graph than what is stored: that is none of this kernel and this program any more. */
  add(variant: string, told: DrivenEdges): void {
    const { driven } = this.#stored!;
    const [known, more] = [driven[variant], EdgeSet.unpack(told)!];
    if (known?.graph === told.graph) more.addAll(EdgeSet.unpack(known)!);
    driven[variant] = more.pack(told.graph);
    writeExploration(this.#path, this.#stored!);
  }
}
