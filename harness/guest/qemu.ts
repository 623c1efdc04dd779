/**
 * QEMU: a bzImage with the host's root over 9p. With KVM where that works, else emulated.
 */
import { execa } from "execa";
import { accessSync, constants } from "node:fs";
import { createServer } from "node:net";
import type { Duplex } from "node:stream";
import { join } from "node:path";
import { searchPath } from "../system/process.ts";
import type { GuestRecipe } from "./guest.ts";
import { KERNEL_OPTIONS } from "./uml.ts";

export const QEMU = "qemu-system-x86_64";

/** Seconds to a worker that answers: one or two with KVM, three to ten without. */
const BOOT_SECONDS = { kvm: 40, tcg: 90 };

const words = (text: string): string[] => text.split(" ");

/**
 * Milliseconds in which a kernel that runs at full speed has come to its console; a half to one
 * second is usual.
 */
const PROBE_MS = 6000;

/**
 * Whether KVM runs this kernel. The device may be there, open, run the firmware, and still get
 * nowhere, in a virtual machine above all: so the kernel is started, without anything to do, and
 * has to say something.
 */
export async function kvmWorks(file: string): Promise<boolean> {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  const machine = words("-accel kvm -cpu host -M q35 -m 256 -nodefaults -no-reboot -display none");
  const probe = execa(
    QEMU,
    [...machine, "-serial", "stdio", "-kernel", file, "-append", "console=ttyS0 panic=-1"],
    {
      reject: false,
      buffer: false,
      stdin: "ignore",
      stderr: "ignore",
      timeout: PROBE_MS,
      killSignal: "SIGKILL",
      env: { PATH: searchPath().join(":") },
    },
  );
  const said = new Promise<boolean>((resolve) => {
    // The firmware may speak on the same line, before any kernel runs.
    probe.stdout.on("data", (text: Buffer) => text.includes("Linux version") && resolve(true));
  });
  const works = await Promise.race([said, probe.then(() => false)]);
  probe.kill("SIGKILL");
  await probe;
  return works;
}

/** QEMU comes to us: a socket in the guest's directory, that nobody else can enter. */
function awaitConnection(directory: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      server.close();
      resolve(socket);
    });
    server.unref();
    server.once("error", reject);
    server.listen(socketIn(directory));
  });
}

const socketIn = (directory: string): string => join(directory, "line");

/** How to start the bzImage in `file` with so much memory and further options. */
export function qemuRecipe(
  file: string,
  memoryMiB: number,
  append: readonly string[],
  accelerator: "kvm" | "tcg",
): GuestRecipe {
  const root =
    "root=/dev/root rootfstype=9p rootflags=trans=virtio,version=9p2000.L,msize=262144,cache=loose ro";
  return {
    kind: accelerator === "kvm" ? "QEMU with KVM" : "QEMU without KVM",
    program: QEMU,
    onOneProcessor: false,
    args: (directory, init) => [
      ...words(`-accel ${accelerator} -cpu ${accelerator === "kvm" ? "host" : "max"}`),
      ...words(`-M q35 -m ${memoryMiB} -nodefaults -no-reboot -display none`),
      "-kernel",
      file,
      "-append",
      [`console=ttyS0 ${root} init=${init}`, ...KERNEL_OPTIONS, ...append].join(" "),
      ...words("-chardev stdio,id=console,signal=off -serial chardev:console"),
      "-chardev",
      // Tried again until we listen.
      `socket,id=line,path=${socketIn(directory)},reconnect=1`,
      ...words("-serial chardev:line"),
      ...words("-fsdev local,id=root,path=/,security_model=none,multidevs=remap,readonly=on"),
      ...words("-device virtio-9p-pci,fsdev=root,mount_tag=/dev/root"),
    ],
    line: "/dev/ttyS1",
    connect: (directory) => awaitConnection(directory),
    bootSeconds: BOOT_SECONDS[accelerator],
  };
}
