/**
 * The file system of a case, as shell commands make it: the same ones in a C program and in a
 * script, in a folder of their own that holds nothing but `image`; and on what xfstests gives.
 */
import { BUFFERED_IOMAP, LACKS_BUFFERED_IOMAP } from "../../images/variants.ts";
import type { Variant } from "../case/variant.ts";
import { shellWord } from "../host/own-command.ts";
import { mkfsArguments } from "../subjects/mkfs.ts";
import { mountOptions } from "../subjects/mount.ts";

/** Its device can run out of room. */
export const isThin = ({ preparation }: Variant): boolean => preparation?.kind === "thin";

const MIB = 2 ** 20;

/** Bytes of an image in whose free space something lies (subjects/free-space.ts). */
const FILLED_MIB = 64;

/** Bytes of a block group: as many blocks as a block has bits. */
const groupMiB = (blockSize: number): number => (8 * blockSize * blockSize) / MIB;

/**
 * Puts onto the disk what a kernel must not show, where it would hold zeros else. `disk` is an
 * image or a device, `conv` what dd does there beside.
 */
export function fillCommand({ imageSize, blockSize }: Variant, disk: string, conv: string): string {
  const group = groupMiB(blockSize);
  const groups = Math.ceil(imageSize / MIB / group);
  const share = Math.min(group, imageSize / MIB, Math.ceil(FILLED_MIB / groups));
  const from = `head -c ${share}M /dev/zero | tr '\\0' '#'`;
  const to = `dd of=${disk} bs=1M conv=${conv} status=none`;
  if (groups === 1) return `${from} | ${to}`;
  const starts = `$(seq 0 ${group} ${group * (groups - 1)})`;
  return `for at in ${starts}; do ${from} | ${to} seek="$at"; done`;
}

/**
 * Bytes that the image must have at least, as the shell computes it from `n`, the number of
 * processors; undefined where the variant's are enough. Delayed allocation stays on only while more
 * blocks are free than the counters of all processors may miss (subjects/reserve.ts): of many that
 * is more than the variant has.
 */
export function leastSize({ blockSize, delalloc, preparation }: Variant): string | undefined {
  const full = preparation?.kind === "full" && preparation.reserveDelays === true;
  if (!delalloc || (preparation !== undefined && !full)) return undefined;
  return `${full ? 208 : 16} * n * (n > 16 ? 2 * n : 32) * ${blockSize}`;
}

/** Makes a file as large as the image. */
function sizeCommand(variant: Variant): string {
  const { imageSize } = variant;
  const least = leastSize(variant);
  if (least === undefined) return `truncate -s ${imageSize} image`;
  const size = `((s > ${imageSize} ? s : ${imageSize}))`;
  return `n=$(nproc --all) && s=$((${least})) && truncate -s $${size} image`;
}

/** Makes the file system of the image. */
export const mkfsCommand = (variant: Variant): string =>
  `mkfs.ext4 ${mkfsArguments(variant, "image").map(shellWord).join(" ")}`;

/** What makes an image. `fills`: what was never written is not zero there. */
export function makeCommands(variant: Variant, fills: boolean): string[] {
  return [
    sizeCommand(variant),
    ...(fills ? [fillCommand(variant, "image", "notrunc")] : []),
    mkfsCommand(variant),
    // A thin device has room for all that is there now.
    ...(isThin(variant) ? [`fallocate -l ${variant.imageSize} image`] : []),
  ];
}

/** Mounts an image there, as a person would write it. */
export const plainMountCommand = (variant: Variant): string =>
  `mount -t ext4 -o ${["loop", ...mountOptions(variant)].join(",")} image mnt`;

/**
 * Mounts an image there. Its device is attached apart: a kernel that lets nobody write to mounted
 * devices (CONFIG_BLK_DEV_WRITE_MOUNTED) refuses `-o loop`. What is detached while it is mounted
 * goes with the mount; where there is none `set -e` must not end it first.
 */
export function mountCommand(variant: Variant, image: string, point: string): string {
  const options = mountOptions(variant).join(",");
  const mount = `mount -t ext4 ${options === "" ? "" : `-o ${options} `}"$l" ${point}`;
  return `(l=$(losetup --find --show ${image}) && { ${mount} && s=0 || s=$?; losetup -d "$l"; exit "$s"; })`;
}

/** In a line, without a quote that ends the word of a shell. */
export const NO_BUFFERED_IOMAP = `${LACKS_BUFFERED_IOMAP.lacks}. ${LACKS_BUFFERED_IOMAP.remedy}`;

/**
 * Mounts it the first time. mount(8) does not say which option a kernel does not know, nor that it
 * is one: what mounts without the option of the series lacks that.
 */
export function firstMountCommand(variant: Variant, image: string, point: string): string {
  const mount = mountCommand(variant, image, point);
  const others = variant.mountOptions.filter((option) => option !== BUFFERED_IOMAP);
  if (others.length === variant.mountOptions.length) return mount;
  const without = mountCommand({ ...variant, mountOptions: others }, image, point);
  return `{ ${mount} 2>/dev/null || { ${without} && echo '${NO_BUFFERED_IOMAP}' >&2; exit 2; }; }`;
}

/** Takes all of the room of the file system on `mnt` but so many blocks. */
export function fillerCommand(variant: Variant, free: number, mnt: string): string {
  const left = `$(( ($(stat -f -c %a ${mnt}) - ${free}) * ${variant.blockSize} ))`;
  return `fallocate -l "${left}" ${mnt}/filler`;
}

/**
 * Whether the program must stay on one processor. With data=journal each page of a write allocates
 * by itself, from what its processor has preallocated for small files (fs/ext4/mballoc.c
 * ext4_locality_group): on another one the blocks of a file are not beside each other, and what
 * happens to an extent happens to none.
 */
export const staysOnProcessor = ({ journal }: Variant): boolean => journal === "journal";

/** Keeps a shell, and what it starts, on the processor on which it is. */
export const STAY_COMMAND = `taskset -cp "$(awk '{ print $39 }' /proc/self/stat)" $$ >/dev/null`;

/** Bytes of the tmpfs that it lies on: of a thin device the image and a little. */
export const TMPFS_MARGIN = MIB;

/** The name of the device of what is mounted on `mnt`, as a word of sh: loop0. */
export const DEVICE = '$(basename "$(findmnt -n -o SOURCE mnt)")';

/** Free blocks of the image have no room, and requests to its device are of one page. */
export const THIN_COMMAND = `fstrim mnt && echo 4 >"/sys/block/${DEVICE}/queue/max_sectors_kb"`;

const stat = (what: string): string => `$(stat -f -c %${what} .)`;

/** The tmpfs of the image is full, so that its device takes nothing for blocks without room. */
export const NO_ROOM_COMMAND = [
  "fstrim mnt",
  `sync "/dev/${DEVICE}"`,
  `mount -o remount,size=$(( (${stat("b")} - ${stat("f")}) * ${stat("S")} )) "$PWD"`,
].join(" && ");

/** It has room again. */
export const roomCommand = ({ imageSize }: Variant): string =>
  `mount -o remount,size=${imageSize + TMPFS_MARGIN} "$PWD"`;
