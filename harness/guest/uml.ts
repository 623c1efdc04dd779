/**
 * User-mode Linux: the kernel as an ordinary program. Needs neither root nor KVM, and boots in a
 * third of a second.
 *
 * Source: arch/um/kernel/um_arch.c, arch/um/drivers/ (the options), Documentation/virt/uml/;
 *         measured: with seccomp system calls are five to eight times cheaper than with ptrace, and
 *         kernels before 6.16 do not know the option and pass it on.
 */
import { join } from "node:path";
import type { GuestRecipe } from "./guest.ts";

/** Seconds to a worker that answers; one is usual with seccomp, 5 to 13 with ptrace. */
const BOOT_SECONDS = 60;

/** How to start the user-mode Linux in `file` with so much memory and further options. */
export function umlRecipe(file: string, memoryMiB: number, append: readonly string[]): GuestRecipe {
  return {
    kind: "user-mode Linux",
    program: file,
    onOneProcessor: true,
    args: (directory, init) => [
      `mem=${memoryMiB}M`,
      "seccomp=auto",
      // Where it keeps its management socket, else in the user's home.
      `uml_dir=${join(directory, "uml")}/`,
      "root=none",
      "rootfstype=hostfs",
      "rootflags=/",
      "ro",
      `init=${init}`,
      "con=null",
      "con0=null,fd:1",
      "ssl=null",
      "ssl0=fd:3",
      ...KERNEL_OPTIONS,
      ...append,
    ],
    line: "/dev/ttyS0",
    connect: (_, line) => Promise.resolve(line),
    bootSeconds: BOOT_SECONDS,
  };
}

/**
 * A crash ends the guest at once: what ran on would say nothing that could be believed. The console
 * has what is a warning or worse, and what has no level, as the first line of a BUG().
 */
export const KERNEL_OPTIONS = ["loglevel=5", "panic=-1", "oops=panic"];
