/**
 * Ground: where a script stands, in a folder of its own or in a test of xfstests. What is said here
 * differs between the two; the commands of the operations and all that is looked at do not.
 */
export interface Ground {
  /** What it is called in a refusal: "a script". */
  readonly name: string;
  /** Where the file system is mounted. */
  readonly mnt: string;
  readonly xfsIo: string;
  readonly python: string;
  readonly filefrag: string;
  /** Prints how many blocks are reserved for delayed allocation. */
  readonly reserved: string;
  /** The name of the device of what is mounted: loop0. */
  readonly device: string;
  readonly unmount: string;
  /** Mounts it again; its status is that of mount(8). */
  readonly mount: string;
  readonly remount: string;
  /** Looks whether the file system is whole, once it is unmounted, and says so where it is not. */
  readonly check: string;
  /**
   * What follows a command of which nothing is looked at: where its words go, what its status is.
   */
  readonly quiet: string;
  readonly ignored: string;
  /** What follows the line that says a difference. */
  readonly noted: string;
  /** Ends it, where it could not be tried, and says why. */
  giveUp(this: void, why: string): string;
  /** fallocate(1), where it does what comes next anyway; else xfs_io. */
  readonly prefersFallocate: boolean;
  /** A file of its own, which is not on the file system. */
  own(this: void, name: string): string;
  /** The power cut, after which files can be closed; then what is left is mounted at `at`. */
  readonly cut: {
    at: string;
    cuts: readonly string[];
    mounts: readonly string[];
    /** Once it was looked at. */
    ends: readonly string[];
  };
  /** What is mounted is gone with the power cut. */
  readonly cutEndsMount: boolean;
}
