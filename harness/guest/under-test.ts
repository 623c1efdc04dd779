/**
 * The kernel under test by what the user calls it: "host", or a file.
 */
import { resolve } from "node:path";
import { hostKernel } from "../workers/host-kernel.ts";
import type { KernelUnderTest } from "../workers/link.ts";
import { machineLacks } from "../system/machine.ts";
import { lacksProgram } from "../system/process.ts";
import { Guest } from "./guest.ts";
import type { GuestRecipe } from "./guest.ts";
import { kernelFileKind } from "./kernel-image.ts";
import { QEMU, kvmWorks, qemuRecipe } from "./qemu.ts";
import { umlRecipe } from "./uml.ts";
import { memoryLacks } from "./uml-memory.ts";

/** MiB of a guest: node takes 150, an image of 256 MiB and its like must fit into half of it. */
export const MEMORY_MIB = 1024;

export interface UnderTestOptions {
  /** "host", or the file of a kernel that runs in a guest. */
  kernel: string;
  /** MiB. */
  memory: number;
  /** "auto" takes KVM where it works. */
  accel: "auto" | "kvm" | "tcg";
  /** Further options for the guest's kernel. */
  append: string[];
}

export type GuestOptions = Omit<UnderTestOptions, "kernel">;

async function recipeFor(
  file: string,
  { memory, accel, append }: GuestOptions,
): Promise<GuestRecipe> {
  if (kernelFileKind(file) === "uml") {
    const small = memoryLacks(memory);
    if (small !== undefined) throw small;
    return umlRecipe(file, memory, append);
  }
  const lacking = lacksProgram(QEMU);
  if (lacking !== undefined) throw lacking;
  const chosen = accel === "auto" ? ((await kvmWorks(file)) ? "kvm" : "tcg") : accel;
  return qemuRecipe(file, memory, append, chosen);
}

/**
 * The kernel that `what` names: "host", or the path of a user-mode Linux or a bzImage. Throws
 * UsageError where it is none of them, EnvironmentError where what runs it is missing.
 */
export async function kernelUnderTest(
  what: string,
  options: GuestOptions,
): Promise<KernelUnderTest> {
  if (what === "host") {
    const lacking = machineLacks();
    if (lacking !== undefined) throw lacking;
    return hostKernel;
  }
  const recipe = await recipeFor(resolve(what), options);
  return {
    what,
    kind: recipe.kind,
    append: options.append,
    guest: true,
    start: () => new Guest(recipe),
  };
}
