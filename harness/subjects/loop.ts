/**
 * LoopDevice: an image file as a block device, held open for as long as it is used.
 *
 * Kernel: drivers/block/loop.c loop_configure(), lo_release(); include/uapi/linux/loop.h
 *
 * It is attached with LO_FLAGS_AUTOCLEAR and kept open by a descriptor of this process. So the
 * kernel detaches it when its last user is gone, whatever ended this process; and nobody can detach
 * it before and put another file there: while it is open `losetup --detach` only asks for what is
 * set already.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { randomInt } from "node:crypto";
import { EnvironmentError } from "../case/failure.ts";
import { sleepSync } from "../system/sleep.ts";
import { runSync } from "../system/process.ts";
import { O_CLOEXEC, O_RDWR, keptMemory, mustSucceed, syscalls } from "../system/syscalls.ts";

const LOOP_CTL_ADD = 0x4c80;
const LOOP_CTL_REMOVE = 0x4c81;
const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const LOOP_GET_STATUS64 = 0x4c05;

const LO_FLAGS_AUTOCLEAR = 4;

const ENOENT = 2;
const ENXIO = 6;
const EBUSY = 16;
const EEXIST = 17;

/**
 * struct loop_config as 32-bit words: the descriptor, the block size, struct loop_info64, 64 bytes
 * that are reserved. And lo_flags, lo_device and lo_inode, where struct loop_info64 comes first as
 * in an answer.
 */
const CONFIG_WORDS = 76;
const FD_WORD = 0;
const CONFIG_FLAGS_WORD = 15;
const INFO_DEVICE = 0;
const INFO_INODE = 1;

/** Attempts to attach: another process can take the device that was free before this one has it. */
const ATTEMPTS = 20;

/**
 * Numbers of devices that are made for one image and removed with it. Nobody gets one of those by
 * asking for a device that is free, since lower ones are always offered first.
 */
const OWN_FIRST = 40_000;
const OWN_LAST = 60_000;

/**
 * Milliseconds that a device may take to let go of its file, and between two attempts to remove it.
 */
const RELEASE_MS = 200;
const RETRY_MS = 10;

let shared: { address: number; words: Uint32Array; longs: BigUint64Array } | undefined;

/** Memory for struct loop_config, zeroed, one for all calls. */
function configMemory(): NonNullable<typeof shared> {
  if (shared === undefined) {
    const { address, buffer } = keptMemory(4 * CONFIG_WORDS);
    const words = new Uint32Array(buffer, 0, CONFIG_WORDS);
    shared = { address, words, longs: new BigUint64Array(buffer, 0, CONFIG_WORDS / 2) };
  }
  shared.words.fill(0);
  return shared;
}

function noLoopDevice(why: string): EnvironmentError {
  return new EnvironmentError(
    "no-loop-device",
    `no loop device could be attached: ${why}`,
    "Detach unused loop devices (losetup -a, losetup -d), or run as root outside a restricted container.",
  );
}

/** A request to /dev/loop-control: a number that is not negative, or -errno. */
function control(request: number, argument: number): number {
  const fd = openSync("/dev/loop-control", "r+");
  try {
    return syscalls().ioctl(fd, request, argument);
  } finally {
    closeSync(fd);
  }
}

/**
 * Path of the device with this number; a container without a devtmpfs has a node made in
 * `directory`. Undefined where it has gone.
 */
function nodeOf(number: number, directory: string): string | undefined {
  const usual = `/dev/loop${number}`;
  if (existsSync(usual)) return usual;
  const made = join(directory, `loop${number}`);
  if (existsSync(made)) return made;
  const [major = "", minor] = readNumbers(number).split(":");
  if (minor === undefined) return undefined;
  const { exitCode, complaint } = runSync("mknod", [made, "b", major, minor]);
  if (exitCode !== 0) throw noLoopDevice(`there is no ${usual}, and ${complaint}`);
  return made;
}

/** "7:3"; "" where there is no such device. */
function readNumbers(number: number): string {
  try {
    return readFileSync(`/sys/block/loop${number}/dev`, "latin1").trim();
  } catch {
    return "";
  }
}

/** Number of a device that was made just now; undefined where none can be made. */
function ownNumber(): number | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const number = control(LOOP_CTL_ADD, randomInt(OWN_FIRST, OWN_LAST));
    if (number >= 0) return number;
    if (number !== -EEXIST) return undefined;
  }
  return undefined;
}

/**
 * Put a file on a device: 0 or -errno. Direct I/O stays off: the page cache of a tmpfs file is the
 * file.
 */
function configure(device: number, file: number): number {
  const { address, words } = configMemory();
  words[FD_WORD] = file;
  words[CONFIG_FLAGS_WORD] = LO_FLAGS_AUTOCLEAR;
  return syscalls().ioctl(device, LOOP_CONFIGURE, address);
}

const requestSizeOf = (device: string): string =>
  `/sys/block/${basename(device)}/queue/max_sectors_kb`;

export interface LoopOptions {
  /** Where a device node may be made, should the machine lack it. */
  directory: string;
  /** KiB of the largest request that the device takes; what is usual where that is not said. */
  requestKib?: number;
}

export class LoopDevice {
  /** "/dev/loop0"; its last part is the name that the kernel gives it. */
  readonly path: string;
  /**
   * Read-only: a kernel may refuse to mount what somebody has open for writing
   * (CONFIG_BLK_DEV_WRITE_MOUNTED=n).
   */
  readonly #fd: number;
  readonly #number: number;
  readonly #own: boolean;
  readonly #file: { dev: bigint; ino: bigint };
  /** What the device took before, where it is not one of its own and goes on living. */
  #usualRequest: string | undefined;
  #closed = false;

  private constructor(path: string, number: number, own: boolean, fd: number, file: number) {
    this.path = path;
    this.#number = number;
    this.#own = own;
    this.#fd = fd;
    this.#file = fstatSync(file, { bigint: true });
  }

  /** Attach an image file. Throws EnvironmentError where the machine has no device for it. */
  static attach(imageFile: string, options: LoopOptions): LoopDevice {
    const file = openSync(imageFile, "r+");
    try {
      for (let attempt = 1; ; attempt++) {
        const attached = LoopDevice.#tryToAttach(file, options);
        if (typeof attached !== "number") return attached;
        if (attached !== -EBUSY || attempt === ATTEMPTS) {
          throw noLoopDevice(`${imageFile}: errno ${-attached}`);
        }
      }
    } finally {
      closeSync(file);
    }
  }

  /** The device, or -errno where somebody else has taken it meanwhile. */
  static #tryToAttach(file: number, { directory, requestKib }: LoopOptions): LoopDevice | number {
    // A limit of requests outlives the file that it was meant for, so it goes on a device that
    // nobody else will get.
    const own = requestKib === undefined ? undefined : ownNumber();
    const number = own ?? control(LOOP_CTL_GET_FREE, 0);
    if (number < 0) return number;
    const path = nodeOf(number, directory);
    // Another run that tidies up (removeUnusedLoops) may take a new one for one that was left.
    const writable = path === undefined ? -ENXIO : syscalls().open(path, O_RDWR | O_CLOEXEC, 0);
    if (path === undefined || writable === -ENXIO || writable === -ENOENT) return -EBUSY;
    mustSucceed(writable, `open of ${path}`);
    try {
      const configured = configure(writable, file);
      if (configured < 0) return configured;
      const fd = openSync(path, "r");
      const device = new LoopDevice(path, number, own !== undefined, fd, file);
      if (requestKib !== undefined) device.#limitRequests(requestKib);
      return device;
    } finally {
      closeSync(writable);
    }
  }

  #limitRequests(kib: number): void {
    const file = requestSizeOf(this.path);
    try {
      if (!this.#own) this.#usualRequest = readFileSync(file, "latin1");
      writeFileSync(file, String(kib));
    } catch (error) {
      this.close();
      throw new EnvironmentError(
        "process-failed",
        `${file} cannot be set to ${kib} (${(error as NodeJS.ErrnoException).code})`,
        "Mount sysfs on /sys, writable, or leave out the thin variants.",
      );
    }
  }

  /**
   * Throws EnvironmentError where another file has come to lie on it: what is seen there then is
   * not the image.
   */
  mustBeOurs(): void {
    const { address, longs } = configMemory();
    const result = syscalls().ioctl(this.#fd, LOOP_GET_STATUS64, address);
    const { dev, ino } = this.#file;
    if (result === 0 && longs[INFO_DEVICE] === dev && longs[INFO_INODE] === ino) return;
    throw new EnvironmentError(
      "process-failed",
      `somebody has detached ${this.path} or put another file there`,
      "Find out who detaches loop devices on this machine, and run again.",
    );
  }

  /** The kernel detaches it once nothing is mounted from it any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#usualRequest !== undefined) {
      writeFileSync(requestSizeOf(this.path), this.#usualRequest);
    }
    closeSync(this.#fd);
    if (this.#own) removeDevice(this.#number);
  }
}

/** Remove a device that was made for one image, once it has let go of that, if that is soon. */
function removeDevice(number: number): void {
  for (let waited = 0; waited < RELEASE_MS; waited += RETRY_MS) {
    if (control(LOOP_CTL_REMOVE, number) !== -EBUSY) return;
    sleepSync(RETRY_MS);
  }
}

/**
 * Remove devices that were made for one image each and hold none any more: their process was
 * killed, or a file on it was open for longer than it. The kernel refuses where one is in use.
 */
export function removeUnusedLoops(): void {
  for (const name of readdirSync("/sys/block")) {
    const number = Number(/^loop(\d+)$/.exec(name)?.[1]);
    if (number >= OWN_FIRST && number < OWN_LAST) control(LOOP_CTL_REMOVE, number);
  }
}
