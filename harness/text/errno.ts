/**
 * Names of the error numbers that the calls under test return (Linux,
 * include/uapi/asm-generic/errno*.h).
 *
 * node:os has a table too, but it is that of the machine that prints the report, which need not be
 * a Linux.
 */
const names: Readonly<Record<number, string>> = {
  1: "EPERM",
  4: "EINTR",
  5: "EIO",
  6: "ENXIO",
  9: "EBADF",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  14: "EFAULT",
  16: "EBUSY",
  22: "EINVAL",
  25: "ENOTTY",
  26: "ETXTBSY",
  27: "EFBIG",
  28: "ENOSPC",
  29: "ESPIPE",
  30: "EROFS",
  38: "ENOSYS",
  61: "ENODATA",
  74: "EBADMSG",
  75: "EOVERFLOW",
  95: "EOPNOTSUPP",
  110: "ETIMEDOUT",
  116: "ESTALE",
  117: "EUCLEAN",
  122: "EDQUOT",
};

/** What a call returned, as a person reads it: `4096`, or `-14 EFAULT`. */
export function describeResult(result: number): string {
  const name = result < 0 ? names[-result] : undefined;
  return name === undefined ? String(result) : `${result} ${name}`;
}
